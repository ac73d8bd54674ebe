"""Knows a quota: how many parts an institution may have accepted in a day or a month of EAT."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from ussdapp.core.quiet import EAT


class Period(Enum):
    """What a quota is counted over; the value is what the API says."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` parts in that period, of which `left` are left until it `begins` anew (UTC)."""

    period: Period
    limit: int
    left: int
    begins: datetime

    @property
    def code(self) -> str:
        """What programs know it by."""
        return f"quota_{self.period.value}"

    def __str__(self) -> str:
        anew = self.begins.astimezone(EAT)
        return (
            f"The quota of {self.limit} parts a {self.period.value} leaves {self.left}; "
            f"it begins anew at {anew:%Y-%m-%d %H:%M} EAT."
        )


class OverQuota(Exception):
    """What was asked for takes more parts than the quota leaves: nothing of it was accepted."""

    def __init__(self, quota: Quota) -> None:
        super().__init__(str(quota))
        self.quota = quota


def begins_anew(period: Period, day: date) -> datetime:
    """The midnight of EAT, as UTC, at which the period of that day is over."""
    following = day + timedelta(days=1)
    if period is Period.MONTH:
        following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return datetime.combine(following, time(), EAT).astimezone(UTC)
