"""Receipts move notifications forward, whenever and however often they come."""

from datetime import datetime

import pytest
from structlog.testing import capture_logs

from tests.stores.receipts import LONG, outcomes, parked, parts_delivered
from tests.stores.world import JUMA, NOON, World, after
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Submitted
from ussdapp.stores.database import rows


def test_a_receipt_delivers(world: World) -> None:
    world.submitted("m1")
    world.receipt("m1", Status.DELIVERED)
    assert world.statuses() == ["delivered"]


@pytest.mark.parametrize("first", [Status.DELIVERED, Status.UNDELIVERED], ids=lambda s: s.value)
def test_a_late_receipt_does_not_undo_a_final_status(world: World, first: Status) -> None:
    world.submitted("m1")
    for status in (first, Status.UNDELIVERED, Status.DELIVERED, Status.SUBMITTED):
        world.receipt("m1", status)
    assert world.statuses() == [first.value]


def test_accepted_is_not_delivered(world: World) -> None:
    world.submitted("m1")
    world.receipt("m1", Status.SUBMITTED)
    assert world.statuses() == ["submitted"]
    world.receipt("m1", Status.DELIVERED)
    assert world.statuses() == ["delivered"]


def test_an_unknown_code_changes_nothing(world: World) -> None:
    world.submitted("m1")
    world.receipt("m1", Status.IN_DOUBT)
    assert world.statuses() == ["submitted"]


def test_a_receipt_that_outruns_its_answer_waits_for_it(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.receipt("m1", Status.DELIVERED)
    world.receipts.apply(after(10))  # still submitting: no guess is made
    assert world.statuses() == ["submitting"]
    world.answered(lease, row, Submitted(("m1",)))
    world.receipts.apply(after(15))  # after half of its age
    assert world.statuses() == ["delivered"]


def test_a_receipt_nobody_waits_for_is_kept_and_harms_nothing(world: World) -> None:
    world.submitted("m1")
    world.receipt("stranger", Status.UNDELIVERED, msisdn=JUMA)
    assert world.statuses() == ["submitted"]


def test_a_text_of_two_parts_is_delivered_when_both_are(world: World) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m1", Status.DELIVERED)
    assert world.statuses() == ["submitted"]
    world.receipt("m2", Status.DELIVERED)
    assert world.statuses() == ["delivered"]
    assert parts_delivered(world) == [2]


def test_the_worst_part_decides(world: World) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m1", Status.DELIVERED)
    world.receipt("m2", Status.UNDELIVERED)
    assert world.statuses() == ["undelivered"]
    assert parts_delivered(world) == [1]


def test_an_operator_that_receipts_one_part_of_two_is_believed_after_a_minute(
    world: World,
) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m2", Status.DELIVERED)
    world.receipts.apply(after(59))
    assert world.statuses() == ["submitted"]
    world.receipts.apply(after(62))
    assert world.statuses() == ["delivered"]
    assert parts_delivered(world) == [1]


def test_an_id_used_again_means_the_newer_submit(world: World) -> None:
    world.submitted("m1")
    world.receipt("m1", Status.DELIVERED)
    world.accept("second")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, after(100))
    world.answered(lease, row, Submitted(("m1",)), after(100))
    world.receipt("m1", Status.UNDELIVERED, 101)
    assert world.statuses() == ["delivered", "undelivered"]


def test_a_failed_first_copy_does_not_condemn_the_second(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("no_answer"))
    world.journal.settle(after(300))
    (again,) = world.journal.claim(lease, 10, after(300))
    world.answered(lease, row, Submitted(("m1",)), after(301))  # the first answer, very late
    world.answered(lease, again, Submitted(("m2",)), after(301))
    world.receipt("m1", Status.UNDELIVERED, 302)
    assert world.statuses() == ["submitted"]
    world.receipt("m2", Status.DELIVERED, 303)
    assert world.statuses() == ["delivered"]


def test_a_receipt_with_anothers_msisdn_moves_nothing_and_is_told_once(world: World) -> None:
    world.submitted("m1")
    with capture_logs() as logs:
        world.receipt("m1", Status.UNDELIVERED, msisdn=JUMA)
        world.receipts.apply(after(2))
    assert world.statuses() == ["submitted"]
    assert [log["event"] for log in logs] == ["receipt.mismatched"]
    world.receipt("m1", Status.DELIVERED, at=3)
    assert world.statuses() == ["delivered"]


def test_a_parked_receipt_finds_its_own_submit_when_that_id_is_used_again(world: World) -> None:
    world.submitted("m1")
    world.receipt("m1", Status.DELIVERED, msisdn=JUMA)
    world.accept("juma's", msisdn=JUMA)
    lease = world.lease(after(2))
    (row,) = world.journal.claim(lease, 10, after(2))
    world.answered(lease, row, Submitted(("m1",)), after(2))
    world.receipts.apply(after(3))
    assert world.statuses() == ["submitted", "delivered"]


def test_silence_about_other_parts_is_counted_from_the_receipt(world: World) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m1", Status.DELIVERED, at=500)
    world.receipts.apply(after(559))
    assert world.statuses() == ["submitted"]
    world.receipt("m2", Status.UNDELIVERED, at=559)
    assert world.statuses() == ["undelivered"]


def test_a_receipt_nobody_waits_for_is_given_up_after_72_hours(world: World) -> None:
    world.receipt("stranger", Status.DELIVERED)
    hours = 3600.0
    for at in (hours, 70 * hours, 73 * hours):
        assert parked(world) == 1
        world.receipts.apply(after(at))
    assert parked(world) == 0
    assert outcomes(world) == [("stranger", "delivered", "unmatched")]


def next_look(world: World) -> datetime:
    query = "SELECT look_at FROM parked_receipts"
    (row,) = world.database.run(lambda link: rows(link, query))
    assert isinstance(row[0], datetime)
    return row[0]


def test_a_parked_receipt_is_looked_at_ever_more_seldom(world: World) -> None:
    world.receipt("stranger", Status.DELIVERED)
    looks = set()
    for second in range(1, 600):
        world.receipts.apply(after(1 + second))
        looks.add(next_look(world))
    assert len(looks) < 25
