"""What one USSD step costs: `python -m bench.ussd_step`.

The gateway as `make run` starts it, and a bare Flask view on the same web server; one after the
other, three times, medians.
"""

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import click

from bench import rows
from bench.dialogue import TEXTS, bodies, dialogues
from bench.load import Driven, Target, drive
from bench.peer import NoPeer, ussd_menu_builder
from bench.places import bare_view, cpu_seconds, gateway, table, ussd_of
from bench.wrk import Flooded, flood, name
from tests.e2e.system import System

RUNS: Final = 3
SECONDS: Final = 3.0
BULK: Final = 1000  # notifications a second
MOST: Final = 8000  # answers a second that anything here may reach
STEPS: Final = TEXTS[1:]  # without the dial, which begins a dialogue in PostgreSQL


@dataclass
class Figures:
    """What was measured, a figure a run."""

    mix: list[Flooded] = field(default_factory=list)
    steps: list[Flooded] = field(default_factory=list)
    bare: list[Flooded] = field(default_factory=list)
    half: list[Driven] = field(default_factory=list)
    beside: list[Driven] = field(default_factory=list)
    delivered: float = 0.0  # a second, beside them
    web_us: list[float] = field(default_factory=list)
    all_us: list[float] = field(default_factory=list)
    peer: list[Flooded] = field(default_factory=list)
    peer_bare: list[Flooded] = field(default_factory=list)


def rate(seen: list[Flooded]) -> float:
    """The median of the runs."""
    return median(one.rate for one in seen)


def mix_forms(answers: float) -> list[str]:
    """Whole dialogues of new citizens, at least that many callbacks."""
    return list(bodies(dialogues(int(answers) // len(TEXTS) + 1)))


def measured_steps(target: Target, answers: float) -> Flooded:
    """Plain steps of dialogues that were dialled before the clock runs."""
    citizens = dialogues(int(answers) // len(STEPS) + 1)
    drive(target, list(bodies(citizens, TEXTS[:1])))
    return flood(target, list(bodies(citizens, STEPS)), SECONDS)


def measured_half(system: System, target: Target, figures: Figures) -> None:
    """Whole dialogues at half of what the gateway can: times of answers, and processor time."""
    web, everything = system.pids("granian"), system.pids()
    before = cpu_seconds(web), cpu_seconds(everything)
    half = rate(figures.mix) / 2
    seen = drive(target, mix_forms(half * SECONDS), half)
    used = cpu_seconds(web) - before[0], cpu_seconds(everything) - before[1]
    figures.half.append(seen)
    figures.web_us.append(1e6 * used[0] / len(seen.times))
    figures.all_us.append(1e6 * used[1] / len(seen.times))


def measured_beside(system: System, target: Target, figures: Figures) -> None:
    """The same while a bulk is delivered at a thousand a second."""
    database, stopping = rows.read(system.home), threading.Event()
    seconds = RUNS * (SECONDS + 2)
    ids = rows.load(database, "sandbox", int(BULK * (seconds + 2)), queued=False)
    bulk = threading.Thread(target=rows.trickle, args=(database, "sandbox", ids, stopping))
    bulk.start()
    began = time.monotonic()
    half = rate(figures.mix) / 2
    for _ in range(RUNS):
        figures.beside.append(drive(target, mix_forms(half * SECONDS), half))
    figures.delivered = rows.ended(database) / (time.monotonic() - began)
    stopping.set()
    bulk.join()


def measure(system: System, figures: Figures) -> None:
    """Everything of ours."""
    target = ussd_of(system)
    with bare_view() as bare:
        drive(target, mix_forms(800))  # both are warm
        drive(bare, mix_forms(800))
        for _ in range(RUNS):
            figures.mix.append(flood(target, mix_forms(MOST / 2 * SECONDS), SECONDS))
            figures.bare.append(flood(bare, mix_forms(MOST * SECONDS), SECONDS))
            reach = 2.5 * rate(figures.mix) * SECONDS
            figures.steps.append(measured_steps(target, reach))
        for _ in range(RUNS):
            measured_half(system, target, figures)
    measured_beside(system, target, figures)


def measure_peer(figures: Figures) -> None:
    """ussd-menu-builder and the bare view beside it. Raises NoPeer."""
    with (
        tempfile.TemporaryDirectory(prefix="ussdapp-bench-") as folder,
        ussd_menu_builder(Path(folder, "peer")) as url,
    ):
        forms = mix_forms(MOST * SECONDS)
        for _ in range(RUNS):
            figures.peer.append(flood(Target(f"{url}/ussd"), forms, SECONDS))
            figures.peer_bare.append(flood(Target(f"{url}/bare"), forms, SECONDS))


def said(figures: Figures) -> list[tuple[str, str, str]]:
    """The table of what is ours."""
    mix, steps, bare = rate(figures.mix), rate(figures.steps), rate(figures.bare)
    p50, p99 = (median(one.quantile(share) for one in figures.half) for share in (0.5, 0.99))
    wrong = sum(one.wrong for one in (*figures.mix, *figures.steps))
    wrong += sum(one.wrong for one in figures.half)
    again = any(one.again for one in (*figures.mix, *figures.steps))
    return [
        ("whole dialogues, dial to confirm", f"{mix:,.0f}/s", ""),
        ("plain steps, without the dial", f"{steps:,.0f}/s", ""),
        ("bare Flask view", f"{bare:,.0f}/s", ""),
        ("whole dialogues / bare view", f"{mix / bare:.2f}", "to be >= 0.25"),
        ("plain steps / bare view", f"{steps / bare:.2f}", ""),
        ("at half load, p50", f"{p50:.1f} ms", f"at {mix / 2:,.0f}/s"),
        ("at half load, p99", f"{p99:.1f} ms", "to be <= 30 ms"),
        (
            "the same beside a bulk, p99",
            f"{median(one.quantile(0.99) for one in figures.beside):.1f} ms",
            f"to be <= 150 ms; {figures.delivered:,.0f} notifications/s delivered",
        ),
        ("processor time of the web processes", f"{median(figures.web_us):,.0f} us", "a callback"),
        ("processor time all told", f"{median(figures.all_us):,.0f} us", "with the stores"),
        ("wrong answers", f"{wrong}", "some forms came twice" if again else ""),
    ]


def said_of_peer(figures: Figures) -> list[tuple[str, str, str]]:
    """The table of ussd-menu-builder."""
    peer, bare = rate(figures.peer), rate(figures.peer_bare)
    return [
        ("the same dialogues", f"{peer:,.0f}/s", "no session kept, nothing begun in a database"),
        ("bare express view", f"{bare:,.0f}/s", ""),
        ("dialogues / bare view", f"{peer / bare:.2f}", ""),
        ("wrong answers", f"{sum(one.wrong for one in figures.peer)}", ""),
    ]


def main() -> None:
    """Measures and prints; a figure that is missed is no failure."""
    figures = Figures()
    with gateway() as system:
        measure(system, figures)
    table(f"One USSD step, two web processes, {name()}, {RUNS} runs, medians", said(figures))
    try:
        measure_peer(figures)
    except NoPeer as why:
        click.echo(f"\n{why}")
        return
    table("ussd-menu-builder 1.2.0 on express 5, two processes", said_of_peer(figures))


if __name__ == "__main__":
    main()
