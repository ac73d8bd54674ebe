"""What nobody waits for is brought to its end: dead leases, doubt, parked receipts, doorbells,
texts of which parts are missing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.inbound import Mo
from ussdapp.ports import (
    Doorbells,
    Expiry,
    Journal,
    Leases,
    MoParts,
    Receipts,
    Reroutes,
    Unavailable,
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Harmless at any time and any number of times; raises Unavailable."""

    leases: Leases
    journal: Journal
    receipts: Receipts
    doorbells: Doorbells
    mo_parts: MoParts | None = None
    receive_mo: Callable[[Mo, datetime], None] | None = None
    reroutes: Reroutes | None = None
    expiry: Expiry | None = None
    unpark: Callable[[datetime], int] = lambda _: 0
    stop_barred: Callable[[datetime], int] = lambda _: 0

    def __call__(self, now: datetime) -> None:
        """One round. A step that cannot be done now keeps none of the others from being done."""
        failed: Unavailable | None = None
        for step in (
            self.unpark,
            self._settle,
            self._ring,
            self._give_up_waiting,
            self._end,
            self._reroute,
        ):
            try:
                step(now)
            except Unavailable as trouble:
                if failed:  # not that step: PostgreSQL
                    raise
                failed = trouble
        if failed:
            raise failed

    def _settle(self, now: datetime) -> None:
        buried = self.leases.bury(now)
        applied = self.receipts.apply(now)
        resent = self.journal.settle(now)
        if buried or resent:
            log.warning("reconciled", buried=buried, applied=applied, resent=resent)

    def _ring(self, now: datetime) -> None:
        for channel in self.journal.due(now):
            self.doorbells.ring(channel)

    def _end(self, now: datetime) -> None:
        if stopped := self.stop_barred(now):
            log.warning("bulk.sender_refused", bulks=stopped)
        if self.expiry is not None and (ended := self.expiry.expire(now)):
            log.warning("expired_unclaimed", notifications=ended)

    def _reroute(self, now: datetime) -> None:
        if self.reroutes is not None and (moved := self.reroutes.reroute(now)):
            log.warning("rerouted", notifications=moved)

    def _give_up_waiting(self, now: datetime) -> None:
        if self.mo_parts is None or self.receive_mo is None:
            return
        for mo, missing in self.mo_parts.overdue(now):
            if missing:
                log.warning("mo.incomplete", channel=mo.channel, missing=missing)
            self.receive_mo(mo, now)
            self.mo_parts.end(mo, now)
