"""What nobody waits for is brought to its end: dead leases, doubt, parked receipts, doorbells."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.ports import Doorbells, Journal, Leases, Receipts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Harmless at any time and any number of times; raises Unavailable."""

    leases: Leases
    journal: Journal
    receipts: Receipts
    doorbells: Doorbells

    def __call__(self, now: datetime) -> None:
        """One round."""
        buried = self.leases.bury(now)
        applied = self.receipts.apply(now)
        resent = self.journal.settle(now)
        for channel in self.journal.due(now):
            self.doorbells.ring(channel)
        if buried or resent:
            log.warning("reconciled", buried=buried, applied=applied, resent=resent)
