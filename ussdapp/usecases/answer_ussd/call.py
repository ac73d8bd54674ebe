"""Knows one callback while it is being answered."""

from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.inbound import Keyed


@dataclass(slots=True, repr=False)
class Call:
    """One callback being answered. `keeps` ends when Redis is down or the screen is not to be
    kept, because the same key may do better when it comes again."""

    keyed: Keyed
    key: str
    text: str
    at: datetime
    keeps: bool = True
