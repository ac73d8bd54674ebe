"""One channel's worker: it holds the bind and the lease, and answers the channel's doorbell."""

import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from ussdapp.bootstrap import Gateway, open_gateway
from ussdapp.core.inbound import Lease, Mo, Receipt
from ussdapp.ports import Fenced, Unavailable
from ussdapp.stores.doorbells import listener
from ussdapp.usecases.deliver_window import DeliverWindow

_BIND: Final = 1  # this process's bind of the channel
_RENEW_S: Final = 5.0
_MOST_S: Final = 10.0  # one job's share before others may ring

log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class Bound:
    """Delivers what is due on one channel for as long as its lease holds."""

    def __init__(self, gateway: Gateway, channel: str) -> None:
        self._gateway = gateway
        self._channel = gateway.sending(channel)
        self._deliver = DeliverWindow(gateway.journal, lambda: time.sleep(1.0))
        self._lease: Lease | None = None
        self._stopping = threading.Event()
        self._keepers = [
            threading.Thread(target=self._keep_bound, daemon=True),
            threading.Thread(target=self._keep_lease, daemon=True),
        ]

    def start(self) -> None:
        """Binds and takes the lease, each in a thread that keeps it."""
        self._channel.open(self._on_receipts, self._on_mos)
        for keeper in self._keepers:
            keeper.start()

    def stop(self) -> None:
        """Unbinds, and gives the lease back."""
        self._stopping.set()
        self._channel.close()
        self._gateway.leases.release()

    def deliver_until_empty(self, channel: str) -> None:
        """Window after window; when there is more than one share of work it rings again."""
        self._gateway.doorbells.answered(channel)
        enough = time.monotonic() + _MOST_S
        try:
            while self._lease and self._deliver(self._channel, self._lease, _now):
                if time.monotonic() > enough:
                    return self._gateway.doorbells.ring(channel)
            self._gateway.receipts.apply(_now())
        except Fenced:
            log.warning("lease.lost", channel=channel)
            self._lease = None
        except Unavailable:
            log.warning("deliver.postponed", channel=channel)

    def _keep_bound(self) -> None:
        bound = False
        while not self._stopping.is_set():
            pause = self._channel.keep_bound()
            if self._channel.ready() and not bound:
                self._gateway.doorbells.ring(self._channel.name)  # work may have gathered
            bound = self._channel.ready()
            self._stopping.wait(pause)

    def _keep_lease(self) -> None:
        while not self._stopping.is_set():
            try:
                self._renew()
            except Unavailable:
                log.warning("lease.unrenewed", channel=self._channel.name)
            self._stopping.wait(_RENEW_S if self._lease else 1.0)

    def _renew(self) -> None:
        leases, name = self._gateway.leases, self._channel.name
        if self._lease and leases.renew(self._lease, _now()):
            return
        self._lease = leases.take(name, _BIND, _now())
        if self._lease:
            log.info("lease.taken", channel=name, epoch=self._lease.epoch)
            self._gateway.doorbells.ring(name)

    def _on_receipts(self, receipts: list[Receipt]) -> None:
        self._gateway.record_receipts(receipts, _now())

    def _on_mos(self, mos: Sequence[Mo]) -> None:
        for mo in mos:
            self._gateway.receive_mo(mo, _now())


_held: list[Bound] = []


def bound() -> Bound:
    """This process's channel."""
    return _held[0]


def main(channel: str) -> None:
    """Serves one channel until SIGTERM."""
    gateway = open_gateway()
    worker = listener(gateway.settings.redis_url, channel)
    _held.append(Bound(gateway, channel))
    bound().start()
    try:
        worker.work(logging_level="WARNING")
    finally:
        bound().stop()
        gateway.close()


if __name__ == "__main__":
    # RQ imports this module by name: run as that one, or there would be two of it
    from workers.bound import main as serve

    serve(sys.argv[1])
