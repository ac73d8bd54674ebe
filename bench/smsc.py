"""Knows how the neutral SMSC (`smsc.c`) is built, started and asked what it took."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.places import free_port, until_it_listens

SOURCE: Final = Path(__file__).with_name("smsc.c")
_LOOK_S: Final = 0.02


class NoCompiler(Exception):
    """The SMSC cannot be built here; the message says why."""


class Stuck(Exception):
    """What was waited for did not come; the message holds the SMSC's figures."""


@dataclass(frozen=True)
class Figures:
    """Counts since the last reset. `first`, `last`, `last_answered` (a receipt's answer) and
    `last_callback` are CLOCK_MONOTONIC in ns, 0 for never; `cpu` is of the process, in ns."""

    submits: int
    taken: int
    throttled: int
    repeated: int
    receipts: int
    answered: int
    refused: int
    callbacks: int
    owed: int
    first: int
    last: int
    last_answered: int
    last_callback: int
    cpu: int
    waiting: int  # binds behind the gate

    @property
    def rate(self) -> float:
        """Taken a second, from the first to the last."""
        return self.taken * 1e9 / max(1, self.last - self.first)


def build(folder: Path, source: Path = SOURCE) -> Path:
    """The binary, made in that folder. Raises NoCompiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompiler("there is no C compiler (apt install gcc libc6-dev): no SMSC to measure")
    binary = folder / "smsc"
    command = [compiler, "-O2", "-o", str(binary), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    if done.returncode:
        raise NoCompiler(f"the SMSC cannot be built: {done.stderr.strip()[-300:]}")
    return binary


class Smsc:
    """One running SMSC; it ends with this process at the latest."""

    def __init__(self, binary: Path) -> None:
        self.port, self.callback_port = free_port(), free_port()
        self._process = subprocess.Popen(  # noqa: S603 (ours)
            [str(binary), str(self.port), str(self.callback_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        until_it_listens(self.port)

    def stop(self) -> None:
        """Ends it."""
        self._process.communicate(timeout=10)

    def tell(self, word: str, value: object = "") -> Figures:
        """One of the commands of `smsc.c`."""
        return Figures(**self._asked(f"{word} {value}"))

    def figures(self) -> Figures:
        """What was counted since the last reset."""
        return self.tell("figures")

    def ledger(self) -> list[tuple[str, int]]:
        """Watched destinations and when their submits arrived, in ns."""
        return [(str(one), int(at)) for one, at in self._asked("ledger")]

    def until(self, done: Callable[[Figures], bool], patience: float) -> Figures:
        """The figures once that is so. Raises Stuck when nothing has moved for that many
        seconds."""
        before, moved = self.figures(), time.monotonic()
        while not done(before):
            time.sleep(_LOOK_S)
            after = self.figures()
            if (after.submits, after.answered, after.callbacks) != (
                before.submits, before.answered, before.callbacks,
            ):  # fmt: skip
                moved = time.monotonic()
            if time.monotonic() - moved > patience:
                raise Stuck(f"nothing moves any longer: {after}")
            before = after
        return before

    def _asked(self, line: str) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ValueError("the SMSC has no pipes")
        stdin.write(f"{line}\n")
        stdin.flush()
        return json.loads(stdout.readline())
