"""Knows how cases look in the API."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from ussdapp.core.letters import ANSWER_PARTS
from ussdapp.core.parts import Encoding, room
from ussdapp.web.api.models import Answer, Body, Query, TextField, TimeField

# characters of an answer at the very most: its first words and any UCS-2 take from it
MOST_TEXT: Final = room(Encoding.GSM7, ANSWER_PARTS)
MOST_REASON: Final = 500
MOST_PAGE: Final = 100
StatusName = Literal["received", "in_progress", "answered", "closed"]
KindName = Literal["lalamiko", "pendekezo", "ulizo", "pongezi", "maoni"]


def _stripped(given: object) -> object:
    return given.strip() if isinstance(given, str) else given


StrippedText = Annotated[TextField, BeforeValidator(_stripped)]


class CaseReplyBody(Body):
    """What you answer to a citizen: with your name and the reference number before it, two SMS."""

    text: Annotated[StrippedText, Field(min_length=1, max_length=MOST_TEXT)]
    status: Literal["answered", "closed", "in_progress"] = "answered"


class CaseTransferBody(Body):
    """Whose it is, and why: the reason is for that institution, the citizen is not told it."""

    institution: Annotated[
        TextField,
        StringConstraints(min_length=1, max_length=20),
        Field(description="The short name of the institution that shall have it."),
    ]
    reason: Annotated[StrippedText, Field(min_length=1, max_length=MOST_REASON)]


class CaseShown(Answer):
    """A case as it stands."""

    reference: str
    institution: str
    kind: KindName
    status: StatusName
    answer: str
    received_at: datetime


class CaseListed(Answer):
    """A case as it stands. `due_at` is 72 hours after it was received, whoever has it since."""

    reference: str
    institution: str
    kind: KindName
    status: StatusName
    visibility: Literal["named", "hidden", "anonymous"]
    medium: Literal["ussd", "sms"]
    language: Literal["sw", "en"]
    received_at: datetime
    due_at: datetime


class CaseEventShown(Answer):
    """What happened. `institution` had the case then; `to` is who got it by a transfer. `words`
    are the answer, what the citizen added, or the reason of a transfer."""

    at: datetime
    what: Literal["filed", "replied", "added", "transferred"]
    status: StatusName
    institution: str
    words: str
    to: str | None


class CaseRead(CaseListed):
    """A case with the citizen's words and what happened, the oldest first. It never holds an
    MSISDN: you reach the citizen by answering."""

    words: str
    events: list[CaseEventShown]


class CaseTransferred(Answer):
    """Whose case it is now; you read it no more."""

    reference: str
    institution: str
    transferred_at: datetime


class CaseQuery(Query):
    """Which cases to list, the newest first."""

    status: StatusName | None = Field(None, description="Only those that stand so.")
    kind: KindName | None = Field(None, description="Only those of that kind.")
    due_before: TimeField | None = Field(
        None, description="Only those that still want an answer and are due before."
    )
    cursor: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="`next` of the page before."
    )
    limit: int = Field(50, ge=1, le=MOST_PAGE, description="How many at most.")


class CasePageShown(Answer):
    """A page; there are more while `next` is given."""

    cases: list[CaseListed]
    next: str | None
