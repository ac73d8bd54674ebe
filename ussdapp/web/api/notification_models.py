"""Knows how single notifications look in the API."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from ussdapp.web.api.models import (
    Answer,
    ClassName,
    MsisdnField,
    Query,
    SenderIdField,
    TextField,
    TimeField,
)
from ussdapp.web.api.template_models import (
    MOST_TEXT,
    ONE_OF_BOTH,
    NoteShown,
    Templated,
)

MOST_SECONDS: Final = 7 * 24 * 3600
MOST_PAGE: Final = 100
StatusName = Literal[
    "queued", "submitting", "submitted", "delivered", "undelivered", "rejected", "expired",
    "stopped", "in_doubt",
]  # fmt: skip
ReferenceField = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[ -~]+$")
]


class NotificationBody(Templated):
    """One text to one MSISDN, or a template, in the language its citizen chose."""

    to: MsisdnField
    text: Annotated[
        Annotated[TextField, Field(min_length=1, max_length=MOST_TEXT)] | None, ONE_OF_BOTH
    ] = Field(None, validate_default=True, description="Needed where no template is named.")
    klass: ClassName = Field(
        "transaction", alias="class", description="What it is for; the first goes first."
    )
    sender_id: SenderIdField | None = Field(
        None, description="A sender ID you were allotted; without it the short code."
    )
    reference: ReferenceField | None = Field(None, description="Your own name for it.")
    send_at: TimeField | None = Field(None, description="Not before; at most 90 days ahead.")
    expires_in: int | None = Field(
        None, ge=1, le=MOST_SECONDS, description="Seconds after which it is not submitted."
    )


class NotificationAccepted(Answer):
    """It is kept and will be delivered."""

    id: str
    status: Literal["queued"]
    to: MsisdnField
    encoding: Literal["gsm7", "ucs2"]
    parts: int
    reference: str | None
    template: str | None = Field(None, description="The version that was used: `name@3`.")
    notes: list[NoteShown] = Field(
        default_factory=list,
        description="What made the text UCS-2, and what it costs; or that `send_at` was past.",
    )


class NotificationEvent(Answer):
    """What happened to it, and when."""

    at: datetime
    status: StatusName
    detail: str


class NotificationListed(Answer):
    """A notification as it stands."""

    id: str
    status: StatusName
    to: MsisdnField
    klass: ClassName = Field(alias="class")
    sender_id: str
    encoding: Literal["gsm7", "ucs2"]
    parts: int
    reference: str | None
    accepted_at: datetime
    status_at: datetime
    row: int | None = Field(description="Its row in the bulk it belongs to.")
    detail: str = Field(description="Why it was rejected, expired or stopped, where we know.")


class NotificationShown(NotificationListed):
    """A notification with its history; `why` says what happens next."""

    attempts: int
    parts_delivered: int
    events: list[NotificationEvent]
    why: str


class NotificationQuery(Query):
    """Which notifications to list, the newest first."""

    reference: ReferenceField | None = Field(None, description="Only those of that reference.")
    status: StatusName | None = Field(None, description="Only those that stand so.")
    bulk: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="Only those of that bulk, by its rows, the last first."
    )
    cursor: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="`next` of the page before."
    )
    limit: int = Field(50, ge=1, le=MOST_PAGE, description="How many at most.")


class NotificationPage(Answer):
    """A page; there may be more while `next` is given, also after one with few or none."""

    notifications: list[NotificationListed]
    next: str | None
