"""Knows webhooks on paper: what they tell, and when a post that failed is tried again.

After Standard Webhooks 1.0.0: one event a post, a 2xx is success, anything else is not, 410
switches the webhook off, and what fails is tried for days, ever more seldom.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

NOTIFICATION_FINAL: Final = "notification.final"
BULK_FINISHED: Final = "bulk.finished"
CASE_OPENED: Final = "case.opened"
SMS_RECEIVED: Final = "sms.received"
PING: Final = "ping"  # what a test sends; nobody subscribes to it
EVENTS: Final = (NOTIFICATION_FINAL, BULK_FINISHED, CASE_OPENED, SMS_RECEIVED)
MOST_WEBHOOKS: Final = 10  # of one institution, and as many of its test keys
OVERLAP: Final = timedelta(days=7)  # in which the secret before still signs as well
GIVEN_UP_AFTER: Final = timedelta(hours=72)
GONE: Final = 410
_FIRST_PAUSE: Final = 5.0  # seconds, three times as many after each failure
_LONGEST_PAUSE: Final = 6 * 3600.0
_LONGEST_HOLD: Final = 300.0


class DeliveryStatus(Enum):
    """Where one event stands that a webhook is told of."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, repr=False)
class WebhookView:
    """A webhook as its institution sees it; `detail` says why it is off."""

    name: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    off_at: datetime | None
    detail: str
    rotated_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """What became of one event: `id` is its webhook-id, `detail` the last answer."""

    id: str
    type: str
    at: datetime
    status: DeliveryStatus
    tries: int
    tried_at: datetime | None
    detail: str
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """A webhook that this process alone posts to until then: its secrets, the newest first, and how
    many windows in a row came to nothing."""

    id: int
    institution: str
    name: str
    url: str
    secrets: tuple[str, ...]
    until: datetime
    failures: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One event for one webhook; `message_id` is the same however often it is posted."""

    id: int
    message_id: str
    type: str
    at: datetime
    tries: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """How a post ended: an HTTP status, or 0 and a word for what kept it from being answered.
    `patience` are the seconds for which it asked to be left alone."""

    status: int
    detail: str
    patience: float = 0.0

    @property
    def taken(self) -> bool:
        """Whether the institution has the event."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Posted:
    """What is kept of a post: where the event stands now and, while it waits, when it is due."""

    id: int
    status: DeliveryStatus
    detail: str
    due_at: datetime | None = None


def posted(event: Event, answer: Answered, now: datetime, chance: float) -> Posted:
    """What follows from an answer; `chance` in [0, 1) spreads what failed together. The last try is
    72 hours after the event, whatever the pause would be."""
    if answer.taken:
        return Posted(event.id, DeliveryStatus.DELIVERED, answer.detail)
    end = event.at + GIVEN_UP_AFTER
    if now >= end:
        return Posted(event.id, DeliveryStatus.GIVEN_UP, answer.detail)
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 3.0 ** min(event.tries, 16))
    pause = max(_spread(longest, chance), answer.patience)
    due = min(now + timedelta(seconds=pause), end)
    return Posted(event.id, DeliveryStatus.WAITING, answer.detail, due)


def held(failures: int, chance: float) -> timedelta:
    """How long a webhook is left alone of which so many windows in a row came to nothing."""
    return timedelta(seconds=_spread(min(_LONGEST_HOLD, 2.0 ** min(failures - 1, 16)), chance))


def _spread(longest: float, chance: float) -> float:
    return longest * (1 + chance) / 2
