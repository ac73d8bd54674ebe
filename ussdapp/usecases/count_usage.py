"""Usage is counted anew: that of yesterday and today often, that of the ten days before, which late
receipts may still change, now and then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

OFTEN: Final = timedelta(minutes=1)
SELDOM: Final = timedelta(hours=1)
_RECENT_DAYS: Final = 1
_TEN_DAYS: Final = 10

log = structlog.get_logger()


class Usages(Protocol):
    """Counts what institutions used."""

    def count(self, now: datetime, days_back: int) -> int:
        """Counts anew so many days back, and since; returns how many notifications. Raises
        Unavailable."""
        ...


@dataclass(slots=True)
class CountUsage:
    """One process counts; harmless at any time and any number of times."""

    usages: Usages
    _recent_at: datetime | None = None
    _whole_at: datetime | None = None

    def __call__(self, now: datetime) -> None:
        """Counts what is due; raises Unavailable."""
        whole = self._whole_at is None or now - self._whole_at >= SELDOM
        if not whole and self._recent_at is not None and now - self._recent_at < OFTEN:
            return
        counted = self.usages.count(now, _TEN_DAYS if whole else _RECENT_DAYS)
        self._recent_at = now
        if whole:
            self._whole_at = now
        log.info("usage.counted", notifications=counted, whole=whole)
