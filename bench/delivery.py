"""The delivery figures, ours beside Kannel's and Jasmin's: `python -m bench.delivery`.

Every figure is a bulk through one neutral SMSC (`smsc.c`) on this machine. Runs are interleaved,
medians printed; sizes and urgent ones are run once. `--quick` is one short run of each, `--only
ROW` (again for more) some of them.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final

import click
import psycopg

from bench import peers
from bench.bulk import Plan, deliver
from bench.peer import NoPeer
from bench.places import table
from bench.said import (
    OURS,
    PEERS,
    Seen,
    oddities,
    said,
    said_of_costs,
    said_of_sizes,
    said_of_urgent,
)
from bench.sender import FREE, LIMIT, LIMITED, NotReady, Sender, sender
from bench.smsc import SOURCE, NoCompiler, Smsc, Stuck, build
from bench.urgent import urgent
from bench.wire import flooded

ONCE: Final = ("sizes", "urgent", "urgent-limited", "kannel-urgent", "kannel-urgent-limited")
ROWS: Final = (*OURS, *PEERS, "wire", *ONCE)
_OF_SENDER: Final = frozenset({*OURS, "sizes", "urgent", "urgent-limited"})
_FAILED: Final = (
    Stuck, NotReady, TimeoutError, ConnectionError, CalledProcessError, psycopg.Error,
)  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """How much of each; `seconds` is how long urgent ones are called."""

    runs: int
    ours: int
    receipts: int
    kannel: int
    kannel_receipts: int
    jasmin: int
    wire: int
    sizes: tuple[int, ...]
    backlog: int
    limited: int
    seconds: float


FULL: Final = Sizes(
    3, 100_000, 60_000, 60_000, 10_000, 1_500, 500_000, (10_000, 100_000, 1_000_000), 1_000_000,
    60_000, 15,
)  # fmt: skip
QUICK: Final = Sizes(
    1, 20_000, 10_000, 20_000, 3_000, 300, 100_000, (10_000, 50_000), 200_000, 10_000, 3
)


class Bench:
    """One measuring: the SMSC, what is to be measured, and what was."""

    def __init__(self, smsc: Smsc, folder: Path, sizes: Sizes, only: frozenset[str]) -> None:
        self._smsc, self._folder, self._sizes, self._only = smsc, folder, sizes, only
        self._fresh = 0
        self.seen = Seen()

    def run(self) -> None:
        """Everything wanted: the interleaved rounds, then what is run once."""
        for number in range(1, self._sizes.runs + 1):
            for name in (*PEERS, "wire"):
                if name in self._only:
                    self._try(f"run {number}: {name}", partial(self._beside, name))
            once = ONCE if number == self._sizes.runs else ()
            wanted = [name for name in (*OURS, *once) if name in self._only & _OF_SENDER]
            self._of_sender(wanted, f"run {number}")
        for name, tps in (("kannel-urgent", 0), ("kannel-urgent-limited", LIMIT)):
            if name in self._only:
                self._try(f"once: {name}", partial(self._kannel, tps))

    def _of_sender(self, names: list[str], when: str) -> None:
        def work() -> None:
            with sender(self._folder / "home", self._smsc) as running:
                for name in names:
                    self._try(f"{when}: {name}", partial(self._ours, running, name))

        if names:
            self._try(f"{when}: ours, in all", work)

    def _ours(self, running: Sender, name: str) -> None:
        sizes, seen, smsc = self._sizes, self.seen, self._smsc
        if name == "sizes":
            for count in sizes.sizes:
                seen.sizes[count] = deliver(running, smsc, Plan(count, 1))
        elif name == "urgent":
            seen.urgent["urgent, beside a bulk"] = urgent(
                running, smsc, FREE, sizes.backlog, sizes.seconds
            )
        elif name == "urgent-limited":
            seen.urgent[f"urgent, the SMSC limited to {LIMIT:,}/s"] = urgent(
                running, smsc, LIMITED, sizes.limited, sizes.seconds
            )
        else:
            plans = {
                "one": Plan(sizes.ours, 1),
                "two": Plan(sizes.ours, 2),
                "receipts": Plan(sizes.receipts, 2, 1),
            }
            seen.ours.setdefault(name, []).append(deliver(running, smsc, plans[name]))

    def _beside(self, name: str) -> None:
        sizes, smsc, folder = self._sizes, self._smsc, self._new()
        if name == "wire":
            self.seen.wire.append(flooded(smsc, sizes.wire))
            return
        receipts = int(name == "kannel-receipts")
        count = sizes.kannel_receipts if receipts else sizes.kannel
        sent = (
            peers.send_by_jasmin(folder, smsc, sizes.jasmin)
            if name == "jasmin"
            else peers.send_by_kannel(folder, smsc, count, int(name == "kannel-spool"), receipts)
        )
        self.seen.peers.setdefault(name, []).append(sent)

    def _kannel(self, tps: int) -> None:
        backlog = self._sizes.limited if tps else self._sizes.kannel * 5
        found = peers.urgent_by_kannel(
            self._new(), self._smsc, backlog, min(self._sizes.seconds, 8), tps
        )
        self.seen.urgent[f"Kannel{', limited' if tps else ''}, with priority"] = found

    def _try(self, what: str, work: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            work()
        except NoPeer as why:
            if str(why) not in self.seen.missing:
                self.seen.missing.append(str(why))
        except _FAILED as trouble:
            self.seen.missing.append(f"{what} FAILED: {type(trouble).__name__}: {trouble}")
        click.echo(f"  {what}: {time.monotonic() - began:.0f} s", err=True)

    def _new(self) -> Path:
        self._fresh += 1
        return self._folder / f"peer{self._fresh}"


def show(seen: Seen, runs: int) -> None:
    """The tables."""
    medians = f"{runs} runs, medians" if runs > 1 else "1 run"
    for title, lines in (
        (f"Notifications a second, window 1000, {medians}", said(seen)),
        ("Processor a notification, all told, and memory", said_of_costs(seen)),
        ("The same bulk, larger, one worker", said_of_sizes(seen.sizes)),
        ("One urgent notification, from the call to the SMSC", said_of_urgent(seen.urgent)),
    ):
        if lines:
            table(title, lines)
    for sentence in (*seen.missing, *oddities(seen)):
        click.echo(f"\n{sentence}")


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="One short run of each, about two minutes.")
@click.option("--only", multiple=True, type=click.Choice(ROWS), help="A row; again for more.")
@click.option("--runs", type=click.IntRange(1), help="Interleaved runs, 3 unless quick.")
@click.option(
    "--smsc", "source", type=click.Path(path_type=Path), default=SOURCE,
    help="C source of another SMSC that takes the commands of bench/smsc.c.",
)  # fmt: skip
def main(quick: bool, only: tuple[str, ...], runs: int | None, source: Path) -> None:  # noqa: FBT001 (click's)
    """Measures and prints; a figure that is missed is no failure."""
    sizes = QUICK if quick else FULL
    if runs:
        sizes = Sizes(**{**vars(sizes), "runs": runs})
    with tempfile.TemporaryDirectory(prefix="ussdapp-bench-") as folder:
        try:
            smsc = Smsc(build(Path(folder), source))
        except NoCompiler as why:
            raise click.ClickException(str(why)) from why
        bench = Bench(smsc, Path(folder), sizes, frozenset(only or ROWS))
        try:
            bench.run()
        finally:
            smsc.stop()
            show(bench.seen, sizes.runs)


if __name__ == "__main__":
    main()
