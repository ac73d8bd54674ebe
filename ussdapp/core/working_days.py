"""Knows working days in Tanzania: Monday to Friday, but for the holidays."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ussdapp.core.quiet import EAT, eat_day

_SATURDAY: Final = 5


def is_working(day: date, holidays: Collection[date]) -> bool:
    """Whether offices are open on that day."""
    return day.weekday() < _SATURDAY and day not in holidays


def due_after(begun: datetime, days: int, holidays: Collection[date]) -> datetime:
    """When so many working days are over, in UTC: at the end of the last of them in Tanzania. The
    day on which it began does not count, at whatever hour that was."""
    day = eat_day(begun)
    while days:
        day += timedelta(days=1)
        days -= is_working(day, holidays)
    return datetime.combine(day + timedelta(days=1), time(), EAT).astimezone(UTC)
