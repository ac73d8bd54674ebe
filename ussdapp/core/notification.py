"""Knows a notification: one text to one MSISDN, its class, and what doubt about it allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.parts import Encoding


class Class(Enum):
    """What a notification is for; the order is the order of delivery."""

    URGENT = "urgent"
    RECEIPT = "receipt"
    TRANSACTION = "transaction"
    BULK = "bulk"


RANK: Final[Mapping[Class, int]] = {name: rank for rank, name in enumerate(Class)}


class Lane(Enum):
    """What is delivered beside one another: the first and the last rank of each."""

    EXPRESS = (RANK[Class.URGENT], RANK[Class.TRANSACTION])
    BULK = (RANK[Class.BULK], RANK[Class.BULK])


MOST_COPIES: Final = 2
# One further copy of what is in doubt is made by itself after this time, and only for these
# classes (reference/faults.md D5); transaction waits for a person, bulk is never resent.
RESENT_AFTER: Final[Mapping[Class, timedelta]] = {
    Class.URGENT: timedelta(seconds=120),
    Class.RECEIPT: timedelta(seconds=300),
}
# What the gateway answers by itself, so that two answering machines fall silent (faults.md 81).
MOST_AUTOMATIC: Final = 3
AUTOMATIC_WITHIN: Final = timedelta(minutes=10)
# What one MSISDN gets in an hour from all institutions, and of the same text (urgent is exempt).
MOST_A_WHILE: Final = 18
MOST_IDENTICAL: Final = 5
LIVES: Final[Mapping[Class, timedelta]] = {
    Class.URGENT: timedelta(minutes=10),
    Class.RECEIPT: timedelta(hours=24),
    Class.TRANSACTION: timedelta(hours=24),
    Class.BULK: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True, repr=False)
class Notification:
    """What is accepted for delivery.

    `effect` makes it unique: the same effect is accepted once. `automatic` marks an answer to a
    text, of which an MSISDN gets MOST_AUTOMATIC within AUTOMATIC_WITHIN; one that `confirms` what
    became of the opt-out register or of a case may be one more. `expires_at` is aware and UTC;
    past it nothing is submitted.
    """

    effect: str
    institution: str | None  # short name; None is the gateway itself
    msisdn: Msisdn
    text: str
    klass: Class
    sender_id: str
    channel: str
    encoding: Encoding
    parts: int
    accepted_at: datetime
    expires_at: datetime
    automatic: bool = False
    confirms: bool = False

    @property
    def share(self) -> int:
        """With how many automatic ones before it within AUTOMATIC_WITHIN it is not accepted."""
        return MOST_AUTOMATIC + 1 if self.confirms else MOST_AUTOMATIC
