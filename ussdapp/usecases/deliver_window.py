"""A window of notifications is claimed, journaled, submitted and recorded."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.core.notification import Lane
from ussdapp.ports import Deferred, InDoubt, Journal, Outcome, Sending, Submission, Unavailable

log = structlog.get_logger()


_BROKEN: Final = InDoubt("broken")
_STALE_S: Final = 10.0  # well before a silent holder's lease is taken from it (30 s)


@dataclass(frozen=True, slots=True)
class DeliverWindow:
    """What a crash leaves between claim and record is `submitting`, and becomes `in_doubt`.

    `pause` is called between tries to record answers that PostgreSQL cannot take now: they are
    known only here, so they are held until it can. `ticks` are monotonic seconds, which go on
    while the process is stopped. `watch` is told how many answers came, how many of them were
    trouble, and in how many seconds.
    """

    journal: Journal
    pause: Callable[[], None]
    ticks: Callable[[], float]
    watch: Callable[[int, int, float], None] = lambda *_: None

    def __call__(
        self,
        channel: Sending,
        lease: Lease,
        clock: Callable[[], datetime],
        lane: Lane | None = None,
        most: int | None = None,
    ) -> int:
        """One window of at most `most` rows of a lane, by default the channel's whole window of
        any; returns how many rows it held. Raises Fenced, Unavailable."""
        if not channel.ready():
            return 0
        asked_at = self.ticks()
        window = self.journal.claim(lease, most or channel.window, clock(), lane)
        if window and self.ticks() - asked_at > _STALE_S:
            # this process stood still: another may have the lease, and these rows, by now
            self._record(lease, [(row, Deferred("stale", 0.0)) for row in window], clock)
        elif window:
            self._submit(window, channel, lease, clock, lane)
        return len(window)

    def _submit(
        self,
        window: Sequence[Submission],
        channel: Sending,
        lease: Lease,
        clock: Callable[[], datetime],
        lane: Lane | None,
    ) -> None:
        answered: list[tuple[Submission, Outcome]] = []
        began = self.ticks()
        try:
            answered = list(zip(window, channel.submit(window, lane), strict=True))
        finally:
            # what breaks there breaks after its rows may have left: they are in doubt, all of them
            answered = answered or [(row, _BROKEN) for row in window]
            outcomes = [outcome for _, outcome in answered]
            self.watch(len(answered), sum(map(_is_trouble, outcomes)), self.ticks() - began)
            self._record(lease, answered, clock)
        log.info("window.delivered", channel=channel.name, **_counts(outcomes))

    def _record(
        self,
        lease: Lease,
        answered: list[tuple[Submission, Outcome]],
        clock: Callable[[], datetime],
    ) -> None:
        while True:
            try:
                return self.journal.record(lease, answered, clock())
            except Unavailable:
                log.warning("window.unrecorded", channel=lease.channel, rows=len(answered))
                self.pause()


def _is_trouble(outcome: Outcome) -> bool:
    """Whether it is the channel that did not fare well: a refusal of one MSISDN says nothing of
    it, and a request for patience is met by the pace."""
    return isinstance(outcome, InDoubt) or (isinstance(outcome, Deferred) and outcome.counts)


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    kinds = Counter(map(type, outcomes))
    return {kind.__name__.lower(): count for kind, count in kinds.items()}
