"""Knows one callback while it is being answered."""

from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.inbound import Keyed


@dataclass(slots=True, repr=False)
class Call:
    """One callback being answered. `keeps` ends when Redis is down. What is `passing` is not to be
    kept: the same key may do better when it comes again, or it is a `late` copy of one that the
    dialogue went on from."""

    keyed: Keyed
    key: str
    text: str
    at: datetime
    keeps: bool = True
    passing: bool = False
    late: bool = False
