"""Bulk leaves by day."""

from datetime import UTC, datetime

import pytest

from ussdapp.core.quiet import bulk_may_leave


@pytest.mark.parametrize(
    ("utc", "leaves"),
    [("04:59", False), ("05:00", True), ("16:59", True), ("17:00", False), ("23:30", False)],
    ids=["7:59 in Tanzania", "8:00", "19:59", "20:00", "2:30"],
)
def test_bulk_waits_for_the_morning_in_tanzania(utc: str, leaves: bool) -> None:
    now = datetime.fromisoformat(f"2026-11-20T{utc}+00:00")
    assert bulk_may_leave(now) is leaves


def test_hours_may_pass_midnight_and_the_same_hour_twice_is_always() -> None:
    night = datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert bulk_may_leave(night, (22, 4))
    assert not bulk_may_leave(night, (4, 22))
    assert bulk_may_leave(night, (0, 0))
