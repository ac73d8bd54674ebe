"""Knows what comes in from operators, once their spelling is taken off."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status


@dataclass(frozen=True, slots=True, repr=False)
class Keyed:
    """One callback of a dialogue.

    `text` is all that was keyed, joined with `*`, when `cumulative`; else the last input only.
    """

    channel: str
    session_id: str
    msisdn: Msisdn
    service_code: str
    text: str
    cumulative: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Mo:
    """A text from a handset. `sender` is as the operator spelt it, for it may be no MSISDN.

    `key` tells a repeated delivery from a new text; with `keyed_by_content` it is made of the
    content alone, and means a repeat only within a minute or so.
    """

    channel: str
    key: str
    sender: str
    msisdn: Msisdn | None
    short_code: str
    text: str
    keyed_by_content: bool = False
    network: str = ""  # the network it came from, as the operator names it


class Receipt(NamedTuple):
    """A delivery receipt. `status` is IN_DOUBT for a code no table knows, `msisdn` the
    handset's, `submitted_on` (aware) when the operator says it took the part. They come by the
    ten thousand a second: a tuple is made in a fifth of the time of a dataclass."""

    account: str
    message_id: str
    status: Status
    code: str
    msisdn: Msisdn | None
    submitted_on: datetime | None = None

    def __repr__(self) -> str:
        return object.__repr__(self)  # none of it is for a log


@dataclass(frozen=True, slots=True, repr=False)
class OptOut:
    """A citizen told the aggregator to stop our texts."""

    channel: str
    sender_id: str
    msisdn: Msisdn


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to submit on one bind of a channel; a higher epoch ends it."""

    channel: str
    bind: int
    epoch: int


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom an API key speaks for."""

    key_id: int
    institution: str
    live: bool
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Institution:
    """A public body; `short_name` is lower case, as typed by citizens in any case."""

    short_name: str
    name_sw: str
    name_en: str
    sector: str = ""
