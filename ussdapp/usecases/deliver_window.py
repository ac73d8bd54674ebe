"""A window of notifications is claimed, journaled, submitted and recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.ports import InDoubt, Journal, Outcome, Sending, Submission, Unavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeliverWindow:
    """What a crash leaves between claim and record is `submitting`, and becomes `in_doubt`.

    `pause` is called between tries to record answers that PostgreSQL cannot take now: they are
    known only here, so they are held until it can.
    """

    journal: Journal
    pause: Callable[[], None]

    def __call__(self, channel: Sending, lease: Lease, clock: Callable[[], datetime]) -> int:
        """One window; returns how many rows it held. Raises Fenced, Unavailable."""
        if not channel.ready():
            return 0
        window = self.journal.claim(lease, channel.window, clock())
        if window:
            self._submit(window, channel, lease, clock)
        return len(window)

    def _submit(
        self,
        window: Sequence[Submission],
        channel: Sending,
        lease: Lease,
        clock: Callable[[], datetime],
    ) -> None:
        # what breaks here breaks after its rows may have left: they are in doubt, all of them
        answered: list[tuple[Submission, Outcome]] = [(row, InDoubt("broken")) for row in window]
        try:
            answered = list(zip(window, channel.submit(window), strict=True))
        finally:
            self._record(lease, answered, clock)
        log.info("window.delivered", channel=channel.name, **_counts(answered))

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


def _counts(answered: list[tuple[Submission, Outcome]]) -> dict[str, int]:
    names = [type(outcome).__name__.lower() for _, outcome in answered]
    return {name: names.count(name) for name in sorted(set(names))}
