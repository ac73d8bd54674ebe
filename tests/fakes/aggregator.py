"""The simulated aggregator as tests hold it: a process of its own, its knobs and its ledger."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.fakes.patience import PATIENCE

API_KEY = "key-of-the-simulated-aggregator"
SECRET_KEY = "secret-of-the-simulated-beem"


@dataclass(frozen=True, slots=True)
class Simulated:
    """One running aggregator."""

    base_url: str
    ledger: Path

    def turn(self, **knobs: Any) -> None:
        """Sets these knobs and puts all others back."""
        request = Request(f"{self.base_url}/knobs", json.dumps(knobs).encode())
        with urlopen(request, timeout=5):
            pass

    def lines(self) -> list[dict[str, Any]]:
        """The ledger so far."""
        if not self.ledger.exists():
            return []
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def simulated_aggregator(ledger: Path, callback: str = "") -> AbstractContextManager[Simulated]:
    """A simulated Africa's Talking, until the end of the block."""
    return _simulated("aggregator", ledger, callback)


def simulated_beem(ledger: Path, callback: str = "") -> AbstractContextManager[Simulated]:
    """A simulated Beem Africa, until the end of the block."""
    return _simulated("beem_aggregator", ledger, callback, f"--secret-key={SECRET_KEY}")


@contextmanager
def _simulated(module: str, ledger: Path, callback: str, *more: str) -> Iterator[Simulated]:
    """Starts it, waits until it listens, and ends it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", f"ussdapp.sandbox.{module}", f"--port={port}",
         f"--ledger={ledger}", f"--callback={callback}", f"--api-key={API_KEY}", *more],
    )  # fmt: skip
    try:
        _await(port, process)
        yield Simulated(f"http://127.0.0.1:{port}", ledger)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the simulated aggregator did not come up")
