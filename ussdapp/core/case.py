"""Knows a case: what a citizen said to an institution, how it stands, and who may know them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.reference import Reference


class Kind(Enum):
    """The five kinds of feedback (e-Mrejesho); the values are the words citizens use."""

    COMPLAINT = "lalamiko"
    SUGGESTION = "pendekezo"
    QUESTION = "ulizo"
    PRAISE = "pongezi"
    OPINION = "maoni"


class Visibility(Enum):
    """Named: the institution sees the MSISDN. Hidden: it does not. Anonymous: nobody keeps it."""

    NAMED = "named"
    HIDDEN = "hidden"
    ANONYMOUS = "anonymous"


class CaseStatus(Enum):
    """How a case stands; the values are what the API says."""

    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    CLOSED = "closed"


CASE_MOVES: Final[Mapping[CaseStatus, frozenset[CaseStatus]]] = {
    CaseStatus.RECEIVED: frozenset(
        {CaseStatus.IN_PROGRESS, CaseStatus.ANSWERED, CaseStatus.CLOSED}
    ),
    CaseStatus.IN_PROGRESS: frozenset(
        {CaseStatus.IN_PROGRESS, CaseStatus.ANSWERED, CaseStatus.CLOSED}
    ),
    CaseStatus.ANSWERED: frozenset(
        {CaseStatus.IN_PROGRESS, CaseStatus.ANSWERED, CaseStatus.CLOSED}
    ),
    CaseStatus.CLOSED: frozenset(),
}
# What takes no longer than this, counted from receipt and never paused (client service charter,
# 5.13: small complaints); nobody has judged a case to be a large one yet.
ANSWERED_WITHIN: Final = timedelta(hours=72)
DUE: Final = frozenset({CaseStatus.RECEIVED, CaseStatus.IN_PROGRESS})  # an answer is still owed
MOST_WORDS: Final = 2000  # characters of one citizen's words that are kept


@dataclass(frozen=True, slots=True, repr=False)
class NewCase:
    """What a citizen filed. `effect` makes it unique: the same effect files once."""

    effect: str
    reference: Reference
    institution: str  # short name
    kind: Kind
    visibility: Visibility
    words: str
    msisdn: Msisdn
    language: str
    medium: str  # ussd or sms
    received_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class CaseView:
    """What the citizen who opened it may read. `answer` is the newest reply, "" before one."""

    reference: Reference
    institution: str
    kind: Kind
    status: CaseStatus
    answer: str
    received_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What an institution answers; `effect` makes it unique."""

    effect: str
    reference: Reference
    institution: str
    words: str
    status: CaseStatus
    at: datetime

    def after(self, given_away: int) -> "Reply":
        """The same to a case that the institution had given away so often before: what it said
        then is no repeat of it."""
        return replace(self, effect=f"{self.effect}:{given_away}") if given_away else self


@dataclass(frozen=True, slots=True, repr=False)
class Transfer:
    """An institution hands its case to another: `words` say why, to that one."""

    reference: Reference
    institution: str
    to: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Transferred:
    """All that the institution which gave a case away still learns of it."""

    reference: Reference
    to: str
    at: datetime
