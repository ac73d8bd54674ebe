"""What is simulated goes the whole way, claimed, journaled, answered and receipted, and is texted
to no one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.inbound import Lease, Receipt
from ussdapp.core.simulated import SIMULATED, becomes
from ussdapp.core.status import Status
from ussdapp.ports import (
    Doorbells,
    Fenced,
    InDoubt,
    Journal,
    Leases,
    Outcome,
    Receipts,
    Rejected,
    Submission,
    Submitted,
    Unavailable,
)

log = structlog.get_logger()

_WINDOW: Final = 500
_MOST_WINDOWS: Final = 20  # in one go: whoever rings has more to do
_BIND: Final = 1


@dataclass(slots=True)
class DeliverSimulated:
    """A doorbell that delivers by itself what is simulated, and passes every other channel on, so
    that whoever rings for due work sees to it."""

    leases: Leases
    journal: Journal
    receipts: Receipts
    doorbells: Doorbells
    clock: Callable[[], datetime]
    _held: Lease | None = None

    def ring(self, channel: str) -> None:
        """Delivers what is due on the simulated channel, or tells that channel's worker."""
        if channel != SIMULATED:
            self.doorbells.ring(channel)
            return
        try:
            self._deliver(self.clock())
        except (Fenced, Unavailable) as trouble:
            # under the next epoch, what was claimed and not answered is in doubt
            self._held = None
            log.warning("simulated.postponed", trouble=type(trouble).__name__)

    def _deliver(self, now: datetime) -> None:
        lease = self._lease(now)
        for _ in range(_MOST_WINDOWS if lease else 0):
            window = self.journal.claim(lease, _WINDOW, now) if lease else []
            if not window or not lease:
                return
            self.journal.record(lease, [(row, _outcome(row)) for row in window], now)
            receipts = [found for row in window if (found := _receipt(row, now))]
            if receipts:
                self.receipts.keep(receipts, now)
                self.receipts.apply(now)

    def _lease(self, now: datetime) -> Lease | None:
        """The lease, which one process holds at a time."""
        if self._held is None or not self.leases.renew(self._held, now):
            self._held = self.leases.take(SIMULATED, _BIND, now)
        return self._held


def _outcome(row: Submission) -> Outcome:
    match becomes(row.msisdn):
        case Status.REJECTED:
            return Rejected(SIMULATED)
        case Status.IN_DOUBT:
            return InDoubt(SIMULATED)
        case _:
            return Submitted((_message_id(row),))


def _receipt(row: Submission, now: datetime) -> Receipt | None:
    ends = becomes(row.msisdn)
    if ends in (Status.REJECTED, Status.IN_DOUBT):
        return None
    return Receipt(SIMULATED, _message_id(row), ends, SIMULATED, row.msisdn, now)


def _message_id(row: Submission) -> str:
    return f"s{row.id}-{row.attempt}"  # in no base, so that none is learnt
