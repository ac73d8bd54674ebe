"""A simulated SMSC in its own process: `python -m ussdapp.sandbox.smsc --port 2775 ...`.

Speaks SMPP 3.4 to ESMEs on the loopback interface, keeps a ledger of what it accepted, and
misbehaves as its knobs say.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ussdapp.sandbox import smsc_control
from ussdapp.sandbox.smsc_exchange import Account, SmscExchange
from ussdapp.sandbox.smsc_knobs import add_flags, from_flags
from ussdapp.sandbox.smsc_ledger import Ledger
from ussdapp.sandbox.smsc_session import Session


class Smsc(SmscExchange):
    """The simulated SMSC as its control port sees it."""

    @property
    def settings(self) -> dict[str, Any]:
        """Every knob by name."""
        return asdict(self.knobs)


async def serve(arguments: argparse.Namespace) -> None:
    """Serves until a signal ends the process; says so on stdout once it listens."""
    account = Account(arguments.system_id, arguments.password)
    smsc = Smsc(Ledger(arguments.ledger), from_flags(arguments), account)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(smsc), "127.0.0.1", arguments.port)
    control = await smsc_control.serve(smsc, arguments.control_port)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    sys.stdout.write(f"smsc ready {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.write(f"smsc control {control.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()
    smsc.disconnect()
    server.close()
    control.close()


def main(given: Sequence[str] | None = None) -> None:
    """The command; ports of 0 pick free ones, which stdout then names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--system-id", default="")
    parser.add_argument("--password", default=os.environ.get("SMSC_PASSWORD", ""))
    add_flags(parser)
    asyncio.run(serve(parser.parse_args(given)))


if __name__ == "__main__":
    main()
