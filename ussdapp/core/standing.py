"""Knows how it is told where a notification stands: its state, since when, what happens next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.notification import (
    MOST_A_WHILE,
    MOST_COPIES,
    MOST_IDENTICAL,
    RESENT_AFTER,
    Class,
)
from ussdapp.core.quiet import BULK_HOURS, Hours, bulk_may_leave
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status

DOWN: Final = timedelta(seconds=30)  # without a bind, a channel is down
_PERSON: Final = (
    "the gateway's operator decides that (ussdapp notifications settle ID --resend or --leave)"
)
# What a `detail` of ours means; any other is the operator's own code.
_OURS: Final[Mapping[str, str]] = {
    "rerouted": "its first channel was down or unwell, so it goes by this one",
    "resent_once": "its one further copy is due, for the first is in doubt",
    "resent_by_person": "a person had its one further copy submitted, for the first is in doubt",
    "left_by_person": "a person decided to submit no further copy",
    "over_cap": f"its MSISDN had {MOST_IDENTICAL} like it, or {MOST_A_WHILE} texts, within an hour",
    "unbound": "it was not submitted, for the channel lost its bind",
    "stale": "it was not submitted, for the worker stood still",
    "held_back": "it was not submitted, for the channel was held back",
    "unreachable": "it was not submitted, for no connection was made",
    "opted_out": "its MSISDN has opted out",
    "expired": "its time was over",
    "too_long": "the text takes too many parts",
    "sender_id": "the sender ID cannot be spelt",
    "no_answer": "it left, and no answer came",
    "worker_lost": "the worker ended before its answer was recorded",
    "broken": "the worker broke while it was submitted",
    "unreadable": "it left, and the answer cannot be read",
    "unopened": "it was not submitted, for it was sealed with another key or is damaged",
    "not_answered": "it left, and the answer leaves it out",
    "partly_taken": "only some of its request were taken, and none was named",
    "receipt": "a receipt said so",
    SIMULATED: "it was simulated and texted to no one",
}


@dataclass(frozen=True, slots=True)
class Carried:
    """How the channel of a notification fares: when one of its binds was last up, None where none
    ever was."""

    channel: str
    bound_at: datetime | None

    def down(self, now: datetime) -> bool:
        """Whether nothing can be submitted on it."""
        return self.bound_at is None or now - self.bound_at > DOWN


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one notification stands. `ahead` are those that its channel delivers before it, None
    where it is in no queue; `held_by` is the status of the bulk that keeps it out of the queue."""

    status: Status
    since: datetime
    detail: str
    klass: Class
    carried: Carried
    copies: int
    attempts: int
    parts: int
    parts_delivered: int
    accepted_at: datetime
    due_at: datetime
    expires_at: datetime
    resent: bool
    journaled_at: datetime | None = None
    ahead: int | None = None
    held_by: str = ""


def sentence(standing: Standing, now: datetime, hours: Hours = BULK_HOURS) -> str:
    """One sentence for whoever asks why it is stuck; times are UTC, bulk hours EAT."""
    since = standing.journaled_at or standing.since
    channel = standing.carried.channel
    told = _told(standing)
    head = f"{standing.status.value} since {_moment(since, now)} UTC on channel {channel}"
    return f"{head}{f' ({told})' if told else ''}: {_next(standing, now, hours)}"


def _told(standing: Standing) -> str:
    detail = standing.detail
    if not detail or (standing.status is Status.SUBMITTED and detail != "receipt"):
        return ""
    if standing.status is Status.EXPIRED and detail == "receipt":
        return "the operator gave it up"
    if standing.status is Status.EXPIRED:
        return "never submitted in its time"
    return _OURS.get(detail, f"the operator said {detail}")


def _next(standing: Standing, now: datetime, hours: Hours) -> str:
    match standing.status:
        case Status.QUEUED:
            return _queued(standing, now, hours)
        case Status.SUBMITTING:
            return "its answer is awaited; if its worker ends first, it becomes in_doubt"
        case Status.SUBMITTED:
            return _submitted(standing)
        case Status.IN_DOUBT:
            return _doubt(standing, now)
        case Status.STOPPED:
            return "its bulk was stopped, and this is final"
        case _:
            return "this is final"


def _queued(standing: Standing, now: datetime, hours: Hours) -> str:
    if standing.expires_at <= now:
        return "its time is over, and it expires, unsubmitted, when its turn comes"
    if standing.held_by:
        return _HELD.get(standing.held_by, f"it waits for its bulk, which is {standing.held_by}")
    ends = f"it expires at {_moment(standing.expires_at, now)}"
    if standing.due_at > now:
        again = "looked at again" if standing.detail == "over_cap" else _again(standing)
        return f"it is {again} at {_moment(standing.due_at, now)}; {ends}"
    if standing.carried.down(now):
        return f"{_down(standing.carried, now)}, and it is submitted when that is over; {ends}"
    if standing.klass is Class.BULK and not bulk_may_leave(now, hours):
        return f"bulk waits until {hours[0]:02}:00 EAT, and then its turn comes; {ends}"
    if standing.ahead is None:
        return f"it is being queued again, and its turn comes; {ends}"
    if standing.ahead:
        return f"its turn comes after about {standing.ahead} others of its lane; {ends}"
    return f"its turn is next; {ends}"


def _again(standing: Standing) -> str:
    return "tried again" if standing.attempts else "due"


_HELD: Final[Mapping[str, str]] = {
    "checking": "it waits until all rows of its bulk are checked",
    "awaiting_approval": "it waits until another person approves its bulk",
    "stopped": "its bulk was stopped, and it is about to be stopped",
}


def _down(carried: Carried, now: datetime) -> str:
    if carried.bound_at is None:
        return f"channel {carried.channel} was never bound"
    return f"channel {carried.channel} is down since {_moment(carried.bound_at, now)}"


def _submitted(standing: Standing) -> str:
    if standing.parts_delivered:
        arrived = f"{standing.parts_delivered} of {standing.parts} parts arrived"
        return f"{arrived}, and the receipts of the rest are awaited"
    return "the operator took it, and its receipt is awaited"


def _doubt(standing: Standing, now: datetime) -> str:
    patience = RESENT_AFTER.get(standing.klass)
    simulated = standing.detail == SIMULATED
    settles = "no receipt will come" if simulated else "a receipt or a late answer settles it"
    if standing.resent or standing.copies >= MOST_COPIES:
        return f"{settles}; no further copy is submitted"
    if patience is None:
        whose = "bulk never is" if standing.klass is Class.BULK else _PERSON
        return f"{settles}; it is not submitted again by itself, {whose}"
    due = standing.since + patience
    if due <= now:
        return f"{settles}; its one further copy is due now"
    otherwise = ";" if simulated else ", or"
    return f"{settles}{otherwise} its one further copy is submitted after {_moment(due, now)}"


def _moment(moment: datetime, now: datetime) -> str:
    """The time, with its date where that is another day's."""
    return f"{moment:%H:%M:%S}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M:%S}"
