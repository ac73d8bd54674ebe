"""Knows the states of a notification and the moves between them."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final


class Status(Enum):
    """Exactly one at any moment; the value is what the API and the store say."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STOPPED = "stopped"
    IN_DOUBT = "in_doubt"


FINAL: Final = frozenset(
    {
        Status.DELIVERED,
        Status.UNDELIVERED,
        Status.REJECTED,
        Status.EXPIRED,
        Status.STOPPED,
    }
)
# from the worst
FAILURES: Final = (Status.REJECTED, Status.UNDELIVERED, Status.EXPIRED)
# in_doubt moves on: a receipt, a late response or the class's one further copy settles it
_ANSWERED: Final = frozenset({Status.SUBMITTED, Status.REJECTED, Status.IN_DOUBT})
_RECEIPTED: Final = frozenset(
    {Status.DELIVERED, Status.UNDELIVERED, Status.REJECTED, Status.EXPIRED}
)
MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.SUBMITTING, Status.REJECTED, Status.EXPIRED, Status.STOPPED}),
    Status.SUBMITTING: _ANSWERED | {Status.QUEUED},
    Status.SUBMITTED: _RECEIPTED,
    Status.IN_DOUBT: _RECEIPTED | {Status.SUBMITTED, Status.QUEUED},
} | {final: frozenset() for final in FINAL}


def sources(status: Status) -> list[str]:
    """The stored names of every status that may move to this one."""
    return [before.value for before, after in MOVES.items() if status in after]


def receipted(parts: int, newest: int, receipts: Sequence[tuple[int, str]]) -> tuple[Status, int]:
    """What receipts (attempt, status) of parts make of a notification, and how many parts of
    one copy arrived."""
    arrived = [attempt for attempt, status in receipts if status == Status.DELIVERED.value]
    delivered = max((arrived.count(attempt) for attempt in set(arrived)), default=0)
    failed = {Status(status) for attempt, status in receipts if attempt == newest}
    if delivered >= parts:
        return Status.DELIVERED, delivered
    worst = next((status for status in FAILURES if status in failed), Status.SUBMITTED)
    return worst, delivered
