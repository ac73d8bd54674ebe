"""What is said of a bulk that waits for the morning."""

from datetime import UTC, datetime

import pytest

from ussdapp.core.bulk import BulkStatus, BulkView
from ussdapp.core.notification import Class

NIGHT = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)  # 22:00 EAT
NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
WAITS = "Bulk leaves between 08:00 and 20:00 EAT: its rows wait for that."


def view(status: BulkStatus, klass: Class = Class.BULK, *, live: bool = True) -> BulkView:
    """A bulk of two rows that was stopped for a reason, or was not."""
    detail = "It was stopped." if status is BulkStatus.STOPPED else ""
    return BulkView(
        1, "elimu", status, "", detail, 2, 2, 0, 2, None, klass=klass, live=live
    )  # fmt: skip


@pytest.mark.parametrize("status", [BulkStatus.QUEUED, BulkStatus.SENDING])
def test_at_night_a_bulk_says_what_its_rows_wait_for(status: BulkStatus) -> None:
    assert view(status).told(NIGHT) == WAITS
    assert view(status).told(NOON) == ""
    assert view(status).told(NIGHT, (0, 0)) == ""


@pytest.mark.parametrize(
    ("bulk", "said"),
    [
        (view(BulkStatus.FINISHED), ""),
        (view(BulkStatus.STOPPED), "It was stopped."),
        (view(BulkStatus.SENDING, Class.URGENT), ""),
        (view(BulkStatus.SENDING, live=False), ""),  # what a test key sends is simulated
    ],
)
def test_no_other_bulk_does(bulk: BulkView, said: str) -> None:
    assert bulk.told(NIGHT) == said
