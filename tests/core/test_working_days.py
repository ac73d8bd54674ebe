"""The charter's clocks run in working days: what they leave out, and when they end."""

from datetime import UTC, date, datetime

import pytest

from ussdapp.core.quiet import EAT
from ussdapp.core.working_days import due_after, is_working
from ussdapp.stores.holidays import given

HOLIDAYS = frozenset(given())
CASES = [
    # begun (in Tanzania), working days, the last of them
    ("2026-11-23 09:00", 3, "2026-11-26"),
    ("2026-11-23 23:59", 3, "2026-11-26"),
    ("2026-11-24 00:01", 3, "2026-11-27"),
    ("2026-11-25 08:00", 3, "2026-11-30"),
    ("2026-11-27 16:00", 3, "2026-12-02"),
    ("2026-11-27 16:00", 1, "2026-11-30"),
    ("2026-11-28 10:00", 3, "2026-12-02"),
    ("2026-11-29 10:00", 3, "2026-12-02"),
    ("2026-12-08 16:00", 1, "2026-12-10"),
    ("2026-12-08 16:00", 3, "2026-12-14"),
    ("2026-12-09 09:00", 3, "2026-12-14"),
    ("2026-12-23 09:00", 3, "2026-12-29"),
    ("2026-12-24 09:00", 3, "2026-12-30"),
    ("2026-12-31 09:00", 3, "2027-01-06"),
    ("2026-10-13 09:00", 3, "2026-10-19"),
    ("2026-10-14 09:00", 3, "2026-10-19"),
    ("2026-04-02 15:00", 3, "2026-04-10"),
    ("2026-04-30 15:00", 3, "2026-05-06"),
    ("2026-03-20 15:00", 3, "2026-03-25"),
    ("2026-05-27 15:00", 3, "2026-06-02"),
    ("2026-08-25 15:00", 3, "2026-08-31"),
    ("2026-08-07 15:00", 3, "2026-08-12"),
    ("2026-07-06 15:00", 3, "2026-07-10"),
    ("2026-11-20 16:00", 7, "2026-12-01"),
    ("2026-11-20 16:00", 14, "2026-12-11"),
]


@pytest.mark.parametrize(("begun", "days", "last"), CASES, ids=[f"{c[0]} + {c[1]}" for c in CASES])
def test_a_clock_ends_with_the_last_of_its_working_days(begun: str, days: int, last: str) -> None:
    due = due_after(datetime.fromisoformat(f"{begun}+03:00"), days, HOLIDAYS)
    assert due.tzinfo is UTC
    # that whole day is left: it is over when the next begins in Tanzania
    assert f"{due.astimezone(EAT):%Y-%m-%d %H:%M}" == next_day(last)


def next_day(day: str) -> str:
    following = date.fromordinal(date.fromisoformat(day).toordinal() + 1)
    return f"{following} 00:00"


def test_a_holiday_announced_later_moves_the_end() -> None:
    begun = datetime(2026, 11, 20, 13, tzinfo=UTC)
    moved = HOLIDAYS | {date(2026, 11, 24)}
    assert (due_after(begun, 3, moved) - due_after(begun, 3, HOLIDAYS)).days == 1


def test_weekends_and_holidays_are_no_working_days() -> None:
    assert not is_working(date(2026, 12, 9), HOLIDAYS)
    assert not is_working(date(2026, 11, 22), HOLIDAYS)
    assert is_working(date(2026, 12, 10), HOLIDAYS)


def test_the_file_has_every_year_without_a_gap() -> None:
    years = {day.year for day in HOLIDAYS}
    assert years == set(range(2025, 2041))
    fixed = ((1, 1), (1, 12), (4, 7), (4, 26), (5, 1), (7, 7), (8, 8), (10, 14), (12, 9), (12, 25))
    for year, (month, day) in ((y, one) for y in years for one in fixed):
        assert date(year, month, day) in HOLIDAYS
