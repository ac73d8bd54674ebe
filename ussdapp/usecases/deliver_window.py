"""A window of notifications is claimed, journaled, submitted and recorded."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.core.notification import Lane
from ussdapp.ports import (
    Answered,
    Deferred,
    InDoubt,
    Journal,
    Outcome,
    Sending,
    Submission,
    Unavailable,
)

log = structlog.get_logger()

_BROKEN: Final = InDoubt("broken")
_STALE_S: Final = 10.0  # well before a silent holder's lease is taken from it (30 s)


@dataclass(frozen=True, slots=True)
class DeliverWindow:
    """What a crash leaves between claim and record is `submitting`, and becomes `in_doubt`.

    `pause` is called between tries to record answers that PostgreSQL cannot take now: they are
    known only here, so they are held until it can. `ticks` are monotonic seconds, which go on
    while the process is stopped. `watch` is told how many answers came, how many of them were
    trouble, and in how many seconds; `claimed` how many rows were claimed, before they leave;
    `recorded` what a channel answered and when that was recorded.
    """

    journal: Journal
    pause: Callable[[], None]
    ticks: Callable[[], float]
    watch: Callable[[int, int, float], None] = lambda *_: None
    claimed: Callable[[int], None] = lambda _: None
    recorded: Callable[[str, Sequence[Answered], datetime], None] = lambda *_: None

    def __call__(
        self,
        channel: Sending,
        lease: Lease,
        clock: Callable[[], datetime],
        lane: Lane | None = None,
        most: int | None = None,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> int:
        """Windows of at most `most` rows of a lane, by default the channel's whole window of any,
        one after the other while there are rows, the channel has a chance and it `goes_on`;
        returns how many rows they held. Raises Fenced, Unavailable; what was answered is recorded
        before."""
        count = 0
        answered: list[Answered] = []
        while channel.ready() and goes_on():
            window = self._turn(answered, lease, most or channel.window, clock, lane)
            if not window:
                return count
            answered = self._submit(window, channel, lease, clock, lane)
            count += len(window)
        if answered:
            self._record(lease, answered, clock)
        return count

    def _turn(
        self,
        answered: list[Answered],
        lease: Lease,
        most: int,
        clock: Callable[[], datetime],
        lane: Lane | None,
    ) -> Sequence[Submission]:
        """What is next, when what was answered is recorded with it; nothing where this process
        stood still: another may have the lease, and these rows, by now."""
        asked_at, now = self.ticks(), clock()
        kept = False
        try:
            window = self.journal.claim(lease, most, now, lane, answered)
            kept = True
        finally:
            if not kept:  # whatever broke the claim: these answers are known here alone
                self._record(lease, answered, clock)
        self.recorded(lease.channel, answered, now)
        self.claimed(len(window))
        if window and self.ticks() - asked_at > _STALE_S:
            self._record(lease, [(row, Deferred("stale", 0.0)) for row in window], clock)
            return ()
        return window

    def _submit(
        self,
        window: Sequence[Submission],
        channel: Sending,
        lease: Lease,
        clock: Callable[[], datetime],
        lane: Lane | None,
    ) -> list[Answered]:
        answered: list[Answered] = []
        began = self.ticks()
        try:
            answered = list(zip(window, channel.submit(window, lane), strict=True))
        finally:
            if not answered:  # it broke after its rows may have left: all of them are in doubt
                self._record(lease, [(row, _BROKEN) for row in window], clock)
        outcomes = [outcome for _, outcome in answered]
        self.watch(len(answered), sum(map(_is_trouble, outcomes)), self.ticks() - began)
        log.info("window.answered", channel=channel.name, **_counts(outcomes))
        return answered

    def _record(
        self,
        lease: Lease,
        answered: list[Answered],
        clock: Callable[[], datetime],
    ) -> None:
        while answered:
            now = clock()
            try:
                self.journal.record(lease, answered, now)
            except Unavailable:
                log.warning("window.unrecorded", channel=lease.channel, rows=len(answered))
                self.pause()
            else:
                self.recorded(lease.channel, answered, now)
                return


def _is_trouble(outcome: Outcome) -> bool:
    """Whether it is the channel that did not fare well: a refusal of one MSISDN says nothing of
    it, and a request for patience is met by the pace."""
    return isinstance(outcome, InDoubt) or (isinstance(outcome, Deferred) and outcome.counts)


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    kinds = Counter(map(type, outcomes))
    return {kind.__name__.lower(): count for kind, count in kinds.items()}
