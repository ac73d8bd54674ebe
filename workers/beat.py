"""The reconciler: once a second it brings to its end what nobody waits for."""

import signal
import threading
from datetime import UTC, datetime
from typing import Final

import structlog

from ussdapp.bootstrap import open_gateway
from ussdapp.ports import Unavailable

_EVERY_S: Final = 1.0

log = structlog.get_logger()


def main() -> None:
    """Runs until SIGTERM. Several may run: each round locks the rows it moves."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    gateway = open_gateway()
    while not stopping.wait(_EVERY_S):
        try:
            now = datetime.now(UTC)
            gateway.reconcile(now)
            gateway.count_steps(now)
            gateway.escalate_codes(now)
        except Unavailable:
            log.warning("reconcile.postponed")
    gateway.close()


if __name__ == "__main__":
    main()
