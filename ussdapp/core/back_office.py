"""Knows what institutions are asked and what they may answer, on time or late."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from ussdapp.core.msisdn import Msisdn

# A summary whose answer was lost may have been taken: it is posted once more and no further, with
# the same request id, by which the institution can tell the second from a new one.
MOST_POSTS: Final = 2
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
GIVES_UP_AFTER: Final = timedelta(hours=24)


class Mode(Enum):
    """How an office is asked; the value is what the settings say. KEYWORD, a text handed over, is
    of no office there but of a keyword that an institution was allotted."""

    LOOKUP = "lookup"
    SUMMARY = "summary"
    EXTERNAL = "external"
    KEYWORD = "keyword"


# what may have been taken although no answer came
POSTS: Final = frozenset({Mode.SUMMARY, Mode.KEYWORD})


class Said(Enum):
    """What an external application wants next of the dialogue."""

    EXPECTS = "expects"
    ENDS = "ends"
    HANDS_BACK = "hands_back"


@dataclass(frozen=True, slots=True, repr=False)
class Asker:
    """For whom an office is asked. `effect` is the same whenever the same thing is asked."""

    msisdn: Msisdn
    session_id: str
    language: str
    effect: str


@dataclass(frozen=True, slots=True, repr=False)
class LookedUp:
    """A look-up's answer: whether the thing exists, and its details under the office's names."""

    success: bool
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class HandedIn:
    """A summary's answer: whether it was taken, and the SMS the institution wants sent, or ""."""

    status: bool
    sms_text: str


@dataclass(frozen=True, slots=True, repr=False)
class Relayed:
    """An external application's answer; `text` may hold line breaks, `data` is handed back."""

    kind: Said
    text: str
    options: Mapping[str, str]
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """What was asked in vain in a dialogue and is asked again, to be answered by SMS.

    `asked` holds a summary's answers, the value of a look-up under `data`, or what a keyword's
    institution is told. `title` names the
    service in the citizen's language. `sentences` are how a screen would have said it, by outcome
    (`found`, `missing`), with the office's detail names, or those `names` gives them, as gaps.
    """

    office: str
    mode: Mode
    asked: Mapping[str, str]
    asker: Asker
    title: str
    institution: str | None = None
    sentences: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Claimed:
    """A question that this process is to ask now. `posts` counts the times a summary, or a
    text handed over, may have been taken, this one included."""

    id: int
    question: Question
    tries: int
    posts: int
    asked_at: datetime


class Ended(Enum):
    """How a question came to its end."""

    ANSWERED = "answered"
    FAILED = "failed"


def again_at(claimed: Claimed, now: datetime) -> datetime | None:
    """When to ask once more, None when it was asked for long enough."""
    doublings = min(claimed.tries - 1, 10)  # beyond, the longest pause rules anyhow
    due = now + min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
    return due if due <= claimed.asked_at + GIVES_UP_AFTER else None
