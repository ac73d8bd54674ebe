"""Knows the states of a notification and the moves between them."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple


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
_RECEIPTED: Final = frozenset(
    {Status.DELIVERED, Status.UNDELIVERED, Status.REJECTED, Status.EXPIRED}
)
# While an earlier copy is in doubt, nothing but a receipt or a late answer is final: what was
# queued again for its one further copy is settled by either of them (its receipts, submitted), and
# is back in_doubt where that copy is refused, opted out of or too old. in_doubt moves on: a
# receipt, a late response or the class's one further copy settles it.
MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    Status.QUEUED: _RECEIPTED
    | {Status.SUBMITTING, Status.SUBMITTED, Status.IN_DOUBT, Status.STOPPED},
    Status.SUBMITTING: frozenset(
        {Status.SUBMITTED, Status.REJECTED, Status.IN_DOUBT, Status.QUEUED}
    ),
    Status.SUBMITTED: _RECEIPTED,
    Status.IN_DOUBT: _RECEIPTED | {Status.SUBMITTED, Status.QUEUED},
} | {final: frozenset() for final in FINAL}


class PartReceipt(NamedTuple):
    """What is known of one part of one attempt. `told` says that the operator's answer named it:
    otherwise a receipt was taken for its, and which part it is nobody knows."""

    part: int
    attempt: int
    status: str | None
    told: bool = True


def sources(status: Status) -> list[str]:
    """The stored names of every status that may move to this one."""
    return [before.value for before, after in MOVES.items() if status in after]


def receipted(parts: int, known: Sequence[PartReceipt]) -> tuple[Status | None, int]:
    """What receipts make of a notification of so many parts, None while they tell nothing of it
    as a whole; and how many of its parts arrived, in whichever attempt."""
    verdicts = [_of_part(part, known) for part in sorted({one.part for one in known})]
    arrived = verdicts.count(Status.DELIVERED)
    if arrived >= parts:
        return Status.DELIVERED, arrived
    for worst in FAILURES:
        if worst in verdicts:
            return worst, arrived
    # where nothing was answered, a receipt for one part shows that the operator has the text (some
    # receipt one part of several); where some parts were answered, it is only about itself
    whole = len(verdicts) >= parts or not any(one.told for one in known)
    heard = any(one.status for one in known)
    return (Status.SUBMITTED if whole and heard else None), arrived


def _of_part(part: int, known: Sequence[PartReceipt]) -> Status:
    """A part that arrived once has arrived; else its newest attempt decides."""
    copies = [one for one in known if one.part == part]
    if any(one.status == Status.DELIVERED.value for one in copies):
        return Status.DELIVERED
    newest = max(copies, key=lambda one: one.attempt)
    return Status(newest.status) if newest.status else Status.SUBMITTED
