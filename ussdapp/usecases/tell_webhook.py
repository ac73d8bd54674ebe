"""A webhook's due events are posted, a window at a time, and what came of it is kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from ussdapp.core.webhook import GONE, Answered, Endpoint, Event, held, posted
from ussdapp.ports import Tellings

WINDOW: Final = 100  # events; while nothing is taken, one alone asks
WINDOW_S: Final = 10.0  # in which posts of a window are begun
_ENOUGH: Final = 3  # failures with no success: the rest of the window is not tried

log = structlog.get_logger()


class Together(Protocol):
    """Makes several posts at once; what they answered comes in the order of the events."""

    def __call__(
        self, post: Callable[[Event], Answered | None], events: Sequence[Event], /
    ) -> Iterator[Answered | None]: ...


class _Window:
    """The posts of one window: no more are begun once it is late or enough of them failed."""

    def __init__(self, begin: Callable[[Event], Answered], late: Callable[[], bool]) -> None:
        self._post = begin
        self._late = late
        self._taken = self._failed = 0

    def post(self, event: Event) -> Answered | None:
        """The answer, None where the event was not posted."""
        if self._late() or (not self._taken and self._failed >= _ENOUGH):
            return None
        answer = self._post(event)
        self._taken += answer.taken
        self._failed += not answer.taken
        return answer


@dataclass(frozen=True, slots=True)
class TellWebhook:
    """At least once: what a process that dies has not recorded is posted again, under the same id.
    `chance` draws numbers in [0, 1). Raises Unavailable."""

    tellings: Tellings
    post: Callable[[Endpoint, Event], Answered]
    together: Together
    clock: Callable[[], datetime]
    chance: Callable[[], float]

    def __call__(self, endpoint: Endpoint) -> int:
        """Posts one window of it; returns how many of its events were taken."""
        began = self.clock()
        most = WINDOW if endpoint.failures == 0 else 1
        events = self.tellings.window(endpoint, began, most)
        window = _Window(
            lambda event: self.post(endpoint, event),
            lambda: (self.clock() - began).total_seconds() > WINDOW_S,
        )
        answered = [
            (event, answer)
            for event, answer in zip(events, self.together(window.post, events), strict=True)
            if answer is not None
        ]
        return self._record(endpoint, answered)

    def _record(self, endpoint: Endpoint, answered: list[tuple[Event, Answered]]) -> int:
        now = self.clock()
        taken = sum(answer.taken for _, answer in answered)
        done = [posted(event, answer, now, self.chance()) for event, answer in answered]
        rests = held(endpoint.failures + 1, self.chance()) if answered and not taken else None
        gone = any(answer.status == GONE for _, answer in answered)
        if gone:
            self.tellings.switch_off(endpoint, f"answered {GONE}", now)
        self.tellings.record(endpoint, done, now, rests)
        if taken < len(answered):
            names = {"institution": endpoint.institution, "webhook": endpoint.name}
            details = sorted({answer.detail for _, answer in answered if not answer.taken})
            failed = len(answered) - taken
            log.warning("webhook.failed", **names, failed=failed, details=details, gone=gone)
        return taken
