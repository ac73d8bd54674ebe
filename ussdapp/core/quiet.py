"""Knows at which hours bulk may leave: nobody is woken by a text that could wait."""

from datetime import date, datetime, timedelta, timezone
from typing import Final

EAT: Final = timezone(timedelta(hours=3), "EAT")  # without summer time since 1970
Hours = tuple[int, int]
BULK_HOURS: Final[Hours] = (8, 20)  # from, until


def eat_day(at: datetime) -> date:
    """The day in Tanzania."""
    return at.astimezone(EAT).date()


def bulk_may_leave(now: datetime, hours: Hours = BULK_HOURS) -> bool:
    """Whether it is between those hours in Tanzania; the same hour twice is always."""
    start, end = hours
    hour = now.astimezone(EAT).hour
    if start < end:
        return start <= hour < end
    return start == end or hour >= start or hour < end
