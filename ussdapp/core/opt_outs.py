"""Knows an opt-out: who wants no more texts, of whom, since when, and how that was learnt."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from ussdapp.core.msisdn import Msisdn

# What a channel's tables say, as a refusal's or a receipt's code, where the operator means that the
# citizen wants no texts. The stores learn from it (migration opt_outs).
OPTED_OUT: Final = "opted_out"


class Learnt(Enum):
    """How it was learnt that a citizen opted out, or is back; the value is what the API says."""

    SMS = "sms"  # ACHA, ANZA
    USSD = "ussd"
    CALLBACK = "callback"  # of an operator, when a citizen used its opt-out
    REFUSAL = "refusal"  # an operator's answer to a submit
    RECEIPT = "receipt"
    INSTITUTION = "institution"  # wrote down what a citizen told it
    PERSON = "person"  # of the gateway's staff


class NoSuchOptOut(LookupError):
    """The institution has no such opt-out."""


class CitizensWord(ValueError):
    """Not only the institution recorded it: it is not the institution's to end."""


@dataclass(frozen=True, slots=True)
class Change:
    """That somebody was heard to opt out, or to be back."""

    at: datetime
    out: bool
    learnt: Learnt | None  # None: before that was noted


@dataclass(frozen=True, slots=True, repr=False)
class OptedOut:
    """An opt-out, in force while `until` is None, of one institution or, without one, of all but
    urgent. `msisdn` is None where only its blind index is known."""

    id: str
    msisdn: Msisdn | None
    institution: str | None
    since: datetime
    until: datetime | None
    learnt: Learnt | None
    history: tuple[Change, ...]


@dataclass(frozen=True, slots=True, repr=False)
class OptOutPage:
    """Some opt-outs in the order of their last change; `next` is None where there are no more."""

    opt_outs: tuple[OptedOut, ...]
    next: str | None
