"""Who watches over whom: the make that runs the supervisor, and the sweeper that comes after it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ussdapp.sandbox.kernel import die_with_parent


class Parent:
    """The make that runs us: when it dies we are told, and when it alone was interrupted we can see
    it.

    A Ctrl-C in a terminal reaches both. A SIGINT sent to make alone is not passed on: make puts the
    signal back to its default and waits for us, and that is what is looked for.
    """

    def __init__(self) -> None:
        self._pid = os.getppid()
        die_with_parent(signal.SIGTERM, self._pid)
        self._caught = self._catches_interrupt()

    def was_interrupted(self) -> bool:
        """True once the parent no longer catches the SIGINT that it caught at first."""
        return self._caught and not self._catches_interrupt()

    def _catches_interrupt(self) -> bool:
        try:
            lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        except OSError:
            return False
        caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
        return bool(caught >> (signal.SIGINT - 1) & 1)


def stand_watch(mark: str, lock: int) -> subprocess.Popen[bytes]:
    """Start the one who sweeps after us; it holds the home as well until nothing of this run is
    left."""
    return subprocess.Popen(  # noqa: S603 (this interpreter, our module)
        [sys.executable, "-m", "ussdapp.sandbox.sweep", mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        pass_fds=[lock],
        start_new_session=True,
    )
