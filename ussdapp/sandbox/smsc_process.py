"""Knows how to start the simulated SMSC as a process of its own, and to read what it says."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ussdapp.sandbox.smsc_control import control


class SmscProcess:
    """A running simulated SMSC; leaving the `with` block ends it. `ports` are SMPP and control,
    0 for any free one; `flags` are those of the command."""

    def __init__(
        self, ledger: Path, flags: Sequence[str] = (), ports: tuple[int, int] = (0, 0)
    ) -> None:
        self._ledger = ledger
        where = ["--port", str(ports[0]), "--control-port", str(ports[1]), "--ledger", str(ledger)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module and flags
            [sys.executable, "-m", "ussdapp.sandbox.smsc", *where, *flags],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._announced("smsc ready ")
        self.control_port = self._announced("smsc control ")

    def control(self, **request: object) -> dict[str, Any]:
        """As smsc_control.control."""
        return control(self.control_port, **request)

    def accepted(self) -> list[dict[str, Any]]:
        """The ledger's lines so far."""
        return [json.loads(line) for line in self._ledger.read_text("utf-8").splitlines()]

    def stop(self) -> None:
        """Ends the process and waits for it."""
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _announced(self, said: str) -> int:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line.startswith(said):
            self.stop()
            raise RuntimeError("the simulated SMSC did not start")
        return int(line.removeprefix(said))
