"""The reconciler: once a second it brings to its end what nobody waits for."""

import signal
import threading
from datetime import UTC, datetime
from typing import Final

import structlog

from ussdapp.bootstrap import Gateway, open_gateway
from ussdapp.ports import Unavailable
from ussdapp.stores.election import Election

_EVERY_S: Final = 1.0

log = structlog.get_logger()


class Beat:
    """Does a round where it is elected: the work is done once, however many stand by."""

    def __init__(self, gateway: Gateway, election: Election) -> None:
        self._gateway = gateway
        self._election = election
        self._elected = False
        self._counting = threading.Thread()

    def step(self, now: datetime) -> bool:
        """Whether a round was begun here."""
        try:
            elected = self._election.is_won()
        except Unavailable:
            elected = False
        if elected != self._elected:
            log.info("reconciler.elected" if elected else "reconciler.stands_by")
            self._elected = elected
        if elected:
            self._round(now)
        return elected

    def _round(self, now: datetime) -> None:
        try:
            self._gateway.reconcile(now)
            self._gateway.count_steps(now)
            self._gateway.codes.escalate(now)
        except Unavailable:
            log.warning("reconcile.postponed")
        if not self._counting.is_alive():
            # beside the rounds: a count of millions takes seconds
            self._counting = threading.Thread(target=self._count, args=(now,), daemon=True)
            self._counting.start()

    def end(self) -> None:
        """Waits for the count under way, a little: it is begun again by whoever comes."""
        if self._counting.is_alive():
            self._counting.join(3.0)

    def _count(self, now: datetime) -> None:
        try:
            self._gateway.usage.count(now)
        except Unavailable:
            log.warning("usage.postponed")


def serve(gateway: Gateway) -> None:
    """Runs until SIGTERM. Several may run: one is elected, the others take its place within a
    second when it dies."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    election = Election(gateway.settings.database_url)
    beat = Beat(gateway, election)
    while not stopping.wait(_EVERY_S):
        beat.step(datetime.now(UTC))
    beat.end()
    election.resign()
    gateway.close()


def main() -> None:
    """Serves the gateway of this process's environment."""
    serve(open_gateway())


if __name__ == "__main__":
    main()
