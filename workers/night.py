"""Logs what is urgent and leaves while bulk waits for the morning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.quiet import Hours, bulk_may_leave
from ussdapp.ports import Answered, Deferred, Rejected, Unavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Night:
    """Watches what is recorded; `count_urgent` tells how many of some ids are urgent."""

    count_urgent: Callable[[Sequence[int]], int]
    hours: Hours

    def recorded(self, channel: str, answered: Sequence[Answered], now: datetime) -> None:
        """Logs, at night, how many urgent ones left."""
        if bulk_may_leave(now, self.hours):
            return
        left = [row.id for row, outcome in answered if not isinstance(outcome, Deferred | Rejected)]
        try:
            urgent = self.count_urgent(left) if left else 0
        except Unavailable:
            # what left is recorded; that it could not be counted must not record it again
            log.warning("urgent.uncounted", channel=channel, rows=len(left))
            return
        if urgent:
            log.info("urgent.outside_bulk_hours", channel=channel, rows=urgent)
