"""The last one to leave: waits until the supervisor is gone, then sees to it that nothing of its
run is left.

Run as `python -m ussdapp.sandbox.sweep <mark>` with a pipe on stdin that only the supervisor holds.
Every process of a run carries the mark in its environment, whatever session or parent it has come
to.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

MARK: Final = "USSDAPP_RUN"
PATIENCE: Final = 3.0  # seconds in which children end by their death signal before they are killed


def marked(mark: str) -> list[int]:
    """The process ids that carry this mark; processes we may not look into are not ours."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def sweep(mark: str, patience: float) -> None:
    """Wait until no marked process is left, and kill those that outlast `patience` seconds."""
    deadline = time.monotonic() + patience
    while left := marked(mark):
        if time.monotonic() > deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def main() -> None:
    """Outlive the signals of a terminal, wait for the end of stdin, sweep."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    while os.read(0, 64):
        pass
    sweep(sys.argv[1], PATIENCE)


if __name__ == "__main__":
    main()
