"""Knows how bulks are described in the API."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SkipValidation, StringConstraints, WithJsonSchema

from ussdapp.web.api.models import (
    SENDABLE,
    SENDABLE_SCHEMA,
    Answer,
    ClassName,
    SenderIdField,
    TextField,
    TimeField,
    fault,
)
from ussdapp.web.api.template_models import ONE_OF_BOTH, NoteShown, Templated

MOST_TEXT: Final = 3000  # characters, with placeholders; each row's parts are counted
MOST_RECIPIENTS: Final = 50_000  # in one JSON; a file holds more
BulkName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    SENDABLE,
    Field(json_schema_extra=SENDABLE_SCHEMA),
]
StatusName = Literal["checking", "awaiting_approval", "queued", "sending", "finished", "stopped"]


def _recipients(given: Any) -> Any:
    if not isinstance(given, list):
        raise fault("type", "Give a list.")
    if not 0 < len(given) <= MOST_RECIPIENTS:
        raise fault("too_many", f"1 to {MOST_RECIPIENTS} are taken: send a file for more.")
    if not all(type(one) is dict for one in given):
        raise fault("type", "Each recipient is an object.")
    return given


# what is in one is checked by the importing worker: a model for each would take longer than all
# else, and one bad row is no reason to refuse the others
RecipientsField = Annotated[
    SkipValidation[list[Any]],
    AfterValidator(_recipients),
    WithJsonSchema(
        {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_RECIPIENTS,
            "items": {
                "type": "object",
                "properties": {"to": {"description": "Its MSISDN.", "examples": ["255754000001"]}},
            },
            "description": "Each with its MSISDN in `to`, and a text or whole number for each"
            " placeholder; one that lacks some is refused by itself: see rejections.csv.",
        }
    ),
]


class BulkFields(Templated):
    """What a JSON bulk and a file have in common."""

    name: BulkName = Field(description="What you call it.")
    text: Annotated[
        Annotated[TextField, Field(min_length=1, max_length=MOST_TEXT)] | None, ONE_OF_BOTH
    ] = Field(
        None,
        validate_default=True,
        description="`((jina))` stands for what a recipient's field `jina` holds. Needed where no "
        "template is named.",
    )
    klass: ClassName = Field("bulk", alias="class", description="What it is for.")
    sender_id: SenderIdField | None = Field(
        None, description="A sender ID you were allotted; without it the short code."
    )
    send_at: TimeField | None = Field(None, description="Not before; at most 90 days ahead.")


class BulkBody(BulkFields):
    """One text to many MSISDNs."""

    recipients: RecipientsField
    repeats: bool = Field(default=False, description="Send twice to an MSISDN that comes twice.")


class BulkForm(BulkFields):
    """The same for a file: its first row names the columns, one of them `to`. `values` is spelt as
    JSON."""

    repeats: Literal["true", "false"] = Field(
        "false", description="Send twice to an MSISDN that comes twice."
    )
    file: Annotated[
        SkipValidation[Any],
        WithJsonSchema({"type": "string", "contentMediaType": "application/octet-stream"}),
    ] = Field(description="A .csv, .tsv or .xlsx file.")


class BulkAccepted(Answer):
    """It is kept and will be checked. `total` is 0 while the rows of a file are not counted."""

    id: str
    status: StatusName
    total: int
    accepted: int
    rejected: int = Field(description="Rows that were refused when they were checked.")
    template: str | None = Field(None, description="The version that is used: `name@3`.")


class BulkCounts(Answer):
    """How many rows are where; they sum to `accepted`. Who opted out is among `rejected` here."""

    queued: int
    submitting: int
    submitted: int
    delivered: int
    undelivered: int
    rejected: int
    expired: int
    in_doubt: int
    stopped: int


COST: Final = Field(description="What all of it costs if it is sent; null without a price.")


class BulkShown(BulkAccepted):
    """A bulk as it stands. `detail` says in a sentence why it was stopped, or that it waits for the
    hours in which bulk leaves (08:00 to 20:00 in Tanzania; urgent ones leave at any time);
    `rate_per_s` is of late, in rows, and `eta_s` the seconds until none waits, null while that is
    not known."""

    name: str
    code: str | None = Field(
        description="Why it was stopped: of a refused file the code that POST has for it, "
        "`quota_day`, `quota_month`, `unchecked`, `sender_id_refused` or `stopped`; null else."
    )
    detail: str
    parts: int
    send_at: datetime | None
    counts: BulkCounts
    rate_per_s: float | None
    eta_s: int | None
    cost_tzs: float | None = COST


class PreviewedRow(Answer):
    """A row as it will be sent; its MSISDN is masked. `row` counts recipients, or the rows of a
    file as a spreadsheet does: its header is row 1."""

    row: int
    to: str
    text: str
    encoding: Literal["gsm7", "ucs2"]
    parts: int
    notes: list[NoteShown] = Field(
        default_factory=list, description="What made the text UCS-2, and what it costs."
    )


class BulkPreview(Answer):
    """The first rows that were accepted, and what the whole bulk takes as far as it is checked."""

    rows: list[PreviewedRow]
    parts: int
    cost_tzs: float | None = COST
