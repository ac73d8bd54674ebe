"""Receipts are kept first, then move what they settle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.core.status import Status
from ussdapp.ports import Receipts, Unavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecordReceipts:
    """Returns once they are kept; raises Unavailable when they are not, so that the operator
    sends them again. What cannot be applied now, the reconciler applies."""

    receipts: Receipts

    def __call__(self, receipts: Sequence[Receipt], now: datetime) -> None:
        """Keeps and applies a batch, in whatever order it came."""
        self.receipts.keep(receipts, now)
        for receipt in receipts:
            if receipt.status is Status.IN_DOUBT:
                log.warning("receipt.unknown_code", account=receipt.account)
        try:
            self.receipts.apply(now)
        except Unavailable:
            log.warning("receipt.parked", count=len(receipts))
