"""Knows what an institution used on a day: how many notifications and parts, and what they cost."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ussdapp.core.notification import Class
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status


@dataclass(frozen=True, slots=True)
class Used:
    """What was accepted on a day of EAT, of one class, on one channel, that stands so now. `taken`
    are parts that an operator took or may have, each copy of them; `cost` is theirs in TZS, None
    where the channel had no price that day. `institution` is None for the gateway itself."""

    day: date
    institution: str | None
    klass: Class
    channel: str
    status: Status
    notifications: int
    parts: int
    taken: int
    cost: Decimal | None

    @property
    def simulated(self) -> bool:
        """Whether it was texted to no one: what test keys send, and simulated MSISDNs."""
        return self.channel == SIMULATED


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, and when it was counted last, None where it never was."""

    used: tuple[Used, ...]
    counted_at: datetime | None
