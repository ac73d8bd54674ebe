"""Children: what one is started as, how it is kept alive, and how it ends together with all it has
started."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ussdapp.sandbox.kernel import die_with_parent

STEADY: Final = 10.0  # seconds after which a death is a first one again
PAUSES: Final = (0.0, 0.25, 0.5, 1.0, 1.5)  # seconds before the next start, by deaths in a row


def as_we_are() -> None:
    """Change nothing: the identity of a child that runs as the user who started it."""


@dataclass(frozen=True)
class Program:
    """One program: its arguments, its whole environment, and the signal by which it ends in order.

    `identity` runs in the forked child before exec and changes who it is (ussdapp.sandbox.kernel).
    """

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    stop: signal.Signals = signal.SIGTERM
    identity: Callable[[], None] = as_we_are
    before: Callable[[], None] = as_we_are


def spawn(program: Program, output: int, errors: int | None = None) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, bound to our life; it writes to the descriptors `output`
    and `errors`.

    To be called from the main thread: the death signal follows the thread that forks.
    """
    program.before()
    parent = os.getpid()

    def bind() -> None:
        program.identity()
        die_with_parent(program.stop, parent)

    return subprocess.Popen(  # noqa: S603 (the Procfile's commands are ours)
        program.arguments,
        env=dict(program.environ),
        cwd=program.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if errors is None else errors,
        start_new_session=True,
        preexec_fn=bind,  # noqa: PLW1509 (whoever starts children has no threads)
    )


class Child:
    """A program that is started again when it dies, after a pause that grows while it dies at
    once."""

    def __init__(self, program: Program, output: int) -> None:
        self.program = program
        self._output = output
        self._deaths = 0
        self._due = 0.0
        self._started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it is thought to run."""
        return None if self._process is None else self._process.pid

    def start_if_due(self, now: float) -> bool:
        """Start it when it does not run and its pause is over; True when it was started."""
        if self._process is not None or now < self._due:
            return False
        self._process = spawn(self.program, self._output)
        self._started = now
        return True

    def buried(self, now: float) -> int | None:
        """Its exit code when it has died since the last look; what it left in its session is
        killed."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        signal_group(self._process.pid, signal.SIGKILL)
        self._deaths = 0 if now - self._started > STEADY else self._deaths
        self._due = now + PAUSES[min(self._deaths, len(PAUSES) - 1)]
        self._deaths += 1
        self._process = None
        return code

    def stop(self, signum: signal.Signals | None = None) -> None:
        """Send its own stop signal to it, or `signum` to its whole group."""
        if self._process is None:
            return
        if signum is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop)
        else:
            signal_group(self._process.pid, signum)


def end(
    children: Sequence[Child], patience: float, wait: Callable[[float], None] = time.sleep
) -> None:
    """Stop all of them side by side, and kill the groups of those that outlast `patience`
    seconds."""
    for child in children:
        child.stop()
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and not all_gone(children):
        wait(0.02)
    for child in children:
        child.stop(signal.SIGKILL)
    while not all_gone(children):
        wait(0.02)


def all_gone(children: Sequence[Child]) -> bool:
    """True when none of them runs; those that ended are buried on the way."""
    now = time.monotonic()
    for child in children:
        child.buried(now)
    return all(child.pid is None for child in children)


def bury_orphans(known: Collection[int]) -> None:
    """Reap the dead that came to us from our descendants; the `known` are left to whoever keeps
    them."""
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in known:
                return
            os.waitpid(found.si_pid, os.WNOHANG)


def signal_group(group: int, signum: signal.Signals) -> None:
    """Signal a process group that may be gone, or may have become someone else's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signum)
