"""Knows how the life of a notification is told to the institution that sent it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.parts import Encoding
from ussdapp.core.status import Status

OUTCOMES = {
    "submitted": Status.SUBMITTED,
    "rejected": Status.REJECTED,
    "deferred": Status.QUEUED,
    "in_doubt": Status.IN_DOUBT,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Where it stood from then on."""

    at: datetime
    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt: when it was journaled, and when and how it was answered."""

    journaled_at: datetime
    answered_at: datetime
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """A notification as it stands; `row` is its number in the bulk that it belongs to."""

    id: str
    status: Status
    msisdn: Msisdn
    klass: Class
    sender_id: str
    encoding: Encoding
    parts: int
    reference: str | None
    accepted_at: datetime
    status_at: datetime
    detail: str
    attempts: int
    parts_delivered: int
    row: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """A notification, what happened to it, and one sentence about what happens next."""

    sent: Sent
    events: tuple[Event, ...]
    why: str


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """Some notifications, the newest first; `next` is None where there are no older ones."""

    sent: tuple[Sent, ...]
    next: str | None


def events(sent: Sent, tries: Iterable[Try]) -> tuple[Event, ...]:
    """What happened, in order: accepted, each attempt and its answer, and where it stands."""
    told = [Event(sent.accepted_at, Status.QUEUED)]
    for one in tries:
        told.append(Event(one.journaled_at, Status.SUBMITTING))
        told.append(Event(one.answered_at, OUTCOMES[one.outcome], one.detail))
    told.sort(key=lambda event: event.at)
    if told[-1].status is not sent.status:
        told.append(Event(max(sent.status_at, told[-1].at), sent.status, sent.detail))
    return tuple(told)
