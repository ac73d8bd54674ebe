"""Logs what is urgent and leaves while bulk waits for the morning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.core.notification import Lane
from ussdapp.core.quiet import Hours, bulk_may_leave
from ussdapp.ports import Deferred, Journal, Outcome, Rejected, Submission, Unavailable

Answered = tuple[Submission, Outcome]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NightJournal:
    """Keeps ports.Journal by another that does; `count_urgent` tells how many of some ids are."""

    journal: Journal
    count_urgent: Callable[[Sequence[int]], int]
    hours: Hours

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: Sequence[Answered] = (),
    ) -> list[Submission]:
        """As the other's; then logs as `record`."""
        claimed = self.journal.claim(lease, most, now, lane, answered)
        self._tell(lease.channel, answered, now)
        return claimed

    def record(self, lease: Lease, window: Sequence[Answered], now: datetime) -> None:
        """As the other's; then logs, at night, how many urgent ones left."""
        self.journal.record(lease, window, now)
        self._tell(lease.channel, window, now)

    def settle(self, now: datetime) -> int:
        """As the other's."""
        return self.journal.settle(now)

    def due(self, now: datetime) -> list[str]:
        """As the other's."""
        return self.journal.due(now)

    def _tell(self, channel: str, answered: Sequence[Answered], now: datetime) -> None:
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
