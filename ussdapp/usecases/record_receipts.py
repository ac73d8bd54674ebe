"""Receipts are kept first, then move what they settle."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.core.status import Status
from ussdapp.ports import Receipts, Unavailable

_EVERY: Final = timedelta(seconds=0.2)  # those parked are looked at, however many batches come

log = structlog.get_logger()


class _Turns:
    """Lets one through, then nobody for a while; two threads at once do no harm."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Whether it is the caller's turn."""
        if self._last and abs(now - self._last) < _EVERY:
            return False
        self._last = now
        return True


@dataclass(frozen=True, slots=True)
class RecordReceipts:
    """Returns once they are kept; raises Unavailable when they are not, so that the operator
    sends them again. What cannot be applied now, the reconciler applies."""

    receipts: Receipts
    turns: _Turns = field(default_factory=_Turns, repr=False, compare=False)

    def __call__(self, receipts: Sequence[Receipt], now: datetime) -> None:
        """Keeps and applies a batch, in whatever order it came."""
        self.receipts.keep(receipts, now)
        for receipt in receipts:
            if receipt.status is Status.IN_DOUBT:
                log.warning("receipt.unknown_code", account=receipt.account)
        if not self.turns.take(now):
            return
        try:
            self.receipts.apply(now)
        except Unavailable:
            log.warning("receipt.parked", count=len(receipts))
