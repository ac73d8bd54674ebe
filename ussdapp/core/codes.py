"""Knows the codes an institution asks for: a branch of the service code, a keyword on the short
code, a sender ID; and the charter's clock (e-GA's client service charter, 5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

WORKING_DAYS: Final = 3  # from the day the conditions are met (charter 5.3)
MOST_OPEN: Final = 50  # requests of one institution that nobody has decided


class CodeKind(Enum):
    """What is asked for; the value is what the API says."""

    SENDER_ID = "sender_id"
    KEYWORD = "keyword"
    SERVICE_CODE = "service_code"


class CodeStatus(Enum):
    """Exactly one at any moment. That one is late is told beside it."""

    REQUESTED = "requested"
    CONDITIONS_MET = "conditions_met"
    ALLOTTED = "allotted"
    REFUSED = "refused"
    REVOKED = "revoked"


# The charter speaks of conditions and names none; these are the gateway's (DECISIONS 54).
CONDITIONS: Final[Mapping[CodeKind, tuple[str, ...]]] = {
    CodeKind.SENDER_ID: ("letter", "contact", "sample"),
    CodeKind.KEYWORD: ("letter", "contact", "tried"),
    CodeKind.SERVICE_CODE: ("letter", "contact", "tried"),
}
MEANS: Final[Mapping[str, str]] = {
    "letter": "a letter of its head asks for it",
    "contact": "a person is named who answers for it",
    "sample": "a text as citizens will read it was shown",
    "tried": "the service was tried in the sandbox",
}
MOVES: Final[Mapping[CodeStatus, frozenset[CodeStatus]]] = {
    CodeStatus.REQUESTED: frozenset({CodeStatus.CONDITIONS_MET, CodeStatus.REFUSED}),
    CodeStatus.CONDITIONS_MET: frozenset({CodeStatus.ALLOTTED, CodeStatus.REFUSED}),
    CodeStatus.ALLOTTED: frozenset({CodeStatus.REVOKED}),
    CodeStatus.REFUSED: frozenset(),
    CodeStatus.REVOKED: frozenset(),
}


class CodeRefused(ValueError):
    """It cannot be asked for: `field` is at fault, and the sentence says why."""

    def __init__(self, field: str, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.code = code


class NoSuchCode(LookupError):
    """There is no such request."""


class NotNow(ValueError):
    """The request is not where that can be done; `status` is where it is."""

    def __init__(self, status: CodeStatus) -> None:
        open_still = ": not all of its conditions are met" if status is CodeStatus.REQUESTED else ""
        super().__init__(f"the request is {status.value}{open_still}")
        self.status = status


@dataclass(frozen=True, slots=True)
class NewCode:
    """What an institution asks for, with the value as it will be used. `effect` makes it unique,
    `body` is what a repeat has to equal. A keyword's texts go to `url`, signed with `secret`."""

    effect: str
    body: str
    institution: str
    live: bool
    kind: CodeKind
    value: str
    purpose: str
    by: str
    url: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"NewCode({self.kind.value}, {self.institution})"  # no secret


@dataclass(frozen=True, slots=True)
class Condition:
    """One that is met, since when, and the document that shows it."""

    name: str
    met_at: datetime
    document: str


@dataclass(frozen=True, slots=True, repr=False)
class Code:
    """A request as it stands. `due_at` is when the charter's time is over, None before the
    conditions are met and for a test key's; `late` once it was escalated."""

    id: int
    institution: str
    live: bool
    kind: CodeKind
    value: str
    purpose: str
    status: CodeStatus
    requested_at: datetime
    conditions: tuple[Condition, ...]
    due_at: datetime | None
    late: bool
    decided_at: datetime | None
    reason: str
    url: str = ""
    secret: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The conditions that are not met."""
        met = {one.name for one in self.conditions}
        return tuple(name for name in CONDITIONS[self.kind] if name not in met)

    @property
    def standing(self) -> str:
        """Its status, `late` once its time is over and nobody decided."""
        late = self.late and self.status is CodeStatus.CONDITIONS_MET
        return "late" if late else self.status.value
