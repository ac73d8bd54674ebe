"""The processes of a rig that need more than being kept alive: workers and the proxy."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.system import ROOT
from ussdapp.sandbox.children import Child


@dataclass
class Worker:
    """A delivering process, started again when it dies."""

    child: Child
    log: Path
    seen: int = 0  # octets of the log that its earlier lives wrote
    stopped: bool = False

    @property
    def delivers(self) -> bool:
        """Whether this life of it has delivered a window."""
        if self.child.pid is None or self.stopped:
            return False
        with self.log.open("rb") as log:
            log.seek(self.seen)
            return b"window.answered" in log.read()

    def signal(self, signum: signal.Signals) -> None:
        assert self.child.pid is not None
        os.kill(self.child.pid, signum)
        self.stopped = signum is signal.SIGSTOP
        if signum in (signal.SIGKILL, signal.SIGTERM):
            self.seen = self.log.stat().st_size


class Proxy:
    """The TCP proxy in front of the SMSC."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.proxy", str(port)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self._said())

    def turn(self, **asked: object) -> dict[str, Any]:
        """As the proxy's commands."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._said())
        return told

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def children_of(pid: int) -> list[int]:
    """The processes that one has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def kill(pid: int, signum: signal.Signals) -> None:
    """Signals one that may be gone."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass
