"""Knows a bulk: many notifications accepted at once, and where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.quiet import BULK_HOURS, Hours, bulk_may_leave
from ussdapp.core.status import Status
from ussdapp.core.templates import TemplateUse

MOST_ROWS: Final = 1_048_575  # what a sheet holds below its header
MOST_URGENT: Final = 1000  # rows of class urgent that one person may send


class BulkRefused(ValueError):
    """It cannot be taken: `field` is at fault, and the sentence says why."""

    def __init__(self, field: str, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.code = code


class Overtaken(Exception):
    """The bulk was stopped, or another process checks it: nothing was kept."""


class NoSuchBulk(LookupError):
    """The institution has no such bulk."""


class NotNow(ValueError):
    """The bulk is not where that can be done; `status` is where it is."""

    def __init__(self, status: "BulkStatus") -> None:
        super().__init__(f"the bulk is {status.value}")
        self.status = status


class OwnBulk(ValueError):
    """Whoever sent a bulk does not approve it."""


class BulkStatus(Enum):
    """Exactly one at any moment; the value is what the API says."""

    CHECKING = "checking"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    SENDING = "sending"
    FINISHED = "finished"
    STOPPED = "stopped"


class Source(Enum):
    """How its recipients came."""

    RECIPIENTS = "recipients"  # JSON
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True, repr=False)
class NewBulk:
    """What an institution sends. `effect` makes it unique, `body` is what a repeat has to equal;
    `total` is how many recipients there are, 0 while nobody knows."""

    effect: str
    body: str
    institution: str
    live: bool
    author: str
    name: str
    text: str
    klass: Class
    sender_id: str
    repeats: bool
    source: Source
    total: int
    accepted_at: datetime
    send_at: datetime | None
    text_en: str | None = None  # for those who chose English, where there is one
    template: str | None = None  # name@version, where it was written with one


@dataclass(frozen=True, slots=True, repr=False)
class AskedBulk:
    """What an institution asks for. `key` makes it unique among the institution's (None: it is
    no repeat of anything), `body` is what a repeat has to equal. A template stands in the place of
    `text`; its values are the same for all rows."""

    name: str
    text: str
    klass: Class
    key: str | None
    body: str
    sender_id: str | None = None
    send_at: datetime | None = None
    repeats: bool = False
    template: TemplateUse | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Checking:
    """A bulk under check: rows up to `read` are done, and since then it was tried `tries` times."""

    id: int
    live: bool
    text: str
    klass: Class
    sender_id: str
    repeats: bool
    source: Source
    accepted_at: datetime
    send_at: datetime | None
    institution_id: int
    approval_above: int
    read: int
    tries: int
    text_en: str | None = None
    plain_text: bool = False

    def after(self, row: int) -> "Checking":
        """The same when rows up to that one are done."""
        return replace(self, read=row, tries=0)


class Refusal(NamedTuple):
    """Why all of a bulk is refused when it is checked: what programs know it by, and a sentence."""

    code: str
    sentence: str


class Rejection(NamedTuple):
    """What is wrong with one field of one row; the message repeats no value."""

    row: int
    field: str
    code: str
    message: str


class Unworded(NamedTuple):
    """A row that can be sent once it is known in which language."""

    number: int
    msisdn: Msisdn
    values: Sequence[str]


class Row(NamedTuple):
    """A row that can be sent, on the channel that its MSISDN's prefix hints at."""

    number: int
    msisdn: Msisdn
    text: str
    encoding: str
    parts: int
    channel: str


@dataclass(frozen=True, slots=True, repr=False)
class Chunk:
    """What came of the rows after `start`, up to `end`; `blank` of them were empty."""

    start: int
    end: int
    blank: int
    rows: Sequence[Row]
    rejections: Sequence[Rejection]


@dataclass(frozen=True, slots=True)
class BulkView:
    """A bulk as its institution sees it. `counts` has every status, and they sum to `accepted`;
    `rate_per_s` and `eta_s` are None where nothing is known; `channel_parts` are the parts by
    the channel for which they were accepted. `code` and `detail` say why it was stopped."""

    id: int
    name: str
    status: BulkStatus
    code: str
    detail: str
    total: int
    accepted: int
    rejected: int
    parts: int
    send_at: datetime | None
    template: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    rate_per_s: float | None = None
    eta_s: int | None = None
    channel_parts: Mapping[str, int] = field(default_factory=dict)
    klass: Class = Class.BULK
    live: bool = True

    def told(self, now: datetime, hours: Hours = BULK_HOURS) -> str:
        """Why it was stopped, or that it waits for the morning; hours are those of EAT."""
        waits = self.status in (BulkStatus.QUEUED, BulkStatus.SENDING) and self.klass is Class.BULK
        if not (waits and self.live) or bulk_may_leave(now, hours):
            return self.detail
        start, end = hours
        return f"Bulk leaves between {start:02}:00 and {end:02}:00 EAT: its rows wait for that."


WAITING: Final = (Status.QUEUED.value, Status.SUBMITTING.value)


def needs_approval(klass: Class, rows: int, above: int) -> bool:
    """Whether another person has to approve a bulk of so many rows."""
    return rows > above or (klass is Class.URGENT and rows > MOST_URGENT)


def standing(stored: BulkStatus, counts: Mapping[str, int], accepted: int) -> BulkStatus:
    """Where a bulk is, by what its rows are: queued until the first of them left, finished when
    none waits."""
    if stored not in (BulkStatus.QUEUED, BulkStatus.SENDING):
        return stored
    if counts.get(Status.QUEUED.value, 0) == accepted and accepted:
        return BulkStatus.QUEUED
    waiting = sum(counts.get(name, 0) for name in WAITING)
    return BulkStatus.SENDING if waiting else BulkStatus.FINISHED


def counted(found: Mapping[str, int], submitting: int, stored: BulkStatus) -> dict[str, int]:
    """Every status and how many rows are in it; of what is queued, so many are being submitted,
    and of a stopped bulk the others will never be."""
    counts = {status.value: found.get(status.value, 0) for status in Status}
    queued = counts[Status.QUEUED.value]
    moving = min(submitting, queued)
    stays = Status.STOPPED if stored is BulkStatus.STOPPED else Status.QUEUED
    counts[Status.QUEUED.value] = 0
    counts[Status.SUBMITTING.value] += moving
    counts[stays.value] += queued - moving
    return counts
