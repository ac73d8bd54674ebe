"""The wire alone: `wire/smpp.py` floods the SMSC at a port, `python -m bench.wire PORT COUNT`."""

import subprocess
import sys
import time
from typing import Final

import click

from bench.smsc import Smsc
from tests.e2e.system import ROOT
from ussdapp.wire.bodies import Address, Login
from ussdapp.wire.long_text import text_bodies
from ussdapp.wire.pulse import Limits
from ussdapp.wire.smpp import Bind

WINDOW: Final = 1000
_TOGETHER: Final = 10 * WINDOW  # submits a call
TEXT: Final = "Ndugu mteja, bili yako ya maji ya Novemba iko tayari. Lipa kabla ya tarehe 30."


def flooded(smsc: Smsc, count: int) -> float:
    """Submits answered a second, of a process that does nothing else."""
    for word in ("gate", "limit", "receipts"):
        smsc.tell(word, 0)
    smsc.tell("reset")
    command = [sys.executable, "-m", "bench.wire", str(smsc.port), str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    return float(done.stdout)


def flood(port: int, count: int) -> float:
    """The same in this process."""
    login = Login(host="127.0.0.1", port=port, system_id="bench", password="bench")  # noqa: S106 (nobody's)
    bind = Bind(login, Limits(window=WINDOW), lambda _: True)
    source = Address(3, 0, "15200")
    bodies = [
        text_bodies(TEXT, source, Address(1, 1, str(255_754_000_000 + number)), 0)[0]
        for number in range(_TOGETHER)
    ]
    bind.connect()
    began = time.perf_counter()
    for _ in range(count // _TOGETHER):
        bind.submit(bodies)
    seconds = time.perf_counter() - began
    bind.close()
    return count / seconds


if __name__ == "__main__":
    click.echo(flood(int(sys.argv[1]), int(sys.argv[2])))
