"""Knows what an institution is shown of its cases: never an MSISDN, whatever the citizen chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ussdapp.core.case import ANSWERED_WITHIN, CaseStatus, Kind, Visibility
from ussdapp.core.reference import Reference


class What(Enum):
    """What may happen to a case; the values are what the API says."""

    FILED = "filed"
    REPLIED = "replied"
    ADDED = "added"
    TRANSFERRED = "transferred"


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case as it stands, without words."""

    reference: Reference
    institution: str
    kind: Kind
    status: CaseStatus
    visibility: Visibility
    medium: str
    language: str
    received_at: datetime

    @property
    def due_at(self) -> datetime:
        """When an answer is due: it moves with nothing, a transfer included."""
        return self.received_at + ANSWERED_WITHIN


@dataclass(frozen=True, slots=True, repr=False)
class Happened:
    """One event as kept: `words` are the citizen's, the answer or why it was transferred; the
    two institutions are those of a transfer."""

    at: datetime
    what: What
    status: CaseStatus
    words: str
    by: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class CaseEvent:
    """One event, and the institution that had the case then."""

    at: datetime
    what: What
    status: CaseStatus
    institution: str
    words: str
    to: str | None


@dataclass(frozen=True, slots=True, repr=False)
class CaseHistory:
    """A case, the citizen's words, and all that happened, the oldest first."""

    case: ListedCase
    words: str
    events: tuple[CaseEvent, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """Which cases are listed; with `due_before` those alone that still want an answer and whose
    time is over by then."""

    status: CaseStatus | None = None
    kind: Kind | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases, the newest first; `next` is None where there are no older ones."""

    cases: tuple[ListedCase, ...]
    next: str | None


def events(happened: Iterable[Happened], holder: str) -> tuple[CaseEvent, ...]:
    """What happened, each with who had the case then; `holder` has it now."""
    told = []
    for one in reversed(list(happened)):
        holder = one.by or holder
        told.append(CaseEvent(one.at, one.what, one.status, holder, one.words, one.to))
    return tuple(reversed(told))
