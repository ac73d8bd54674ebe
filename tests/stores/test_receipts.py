"""Receipts move notifications forward, whenever and however often they come."""

import pytest

from tests.stores.world import JUMA, NOON, World, after
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Submitted

LONG = "Taarifa " * 30


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
    world.receipts.apply(after(11))
    assert world.statuses() == ["delivered"]


def test_a_receipt_nobody_waits_for_is_kept_and_harms_nothing(world: World) -> None:
    world.submitted("m1")
    world.receipt("stranger", Status.UNDELIVERED, msisdn=JUMA)
    assert world.statuses() == ["submitted"]


def test_the_only_one_in_doubt_to_an_msisdn_is_settled_by_its_receipt(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("worker_lost"))
    world.receipt("m1", Status.DELIVERED)
    world.receipts.apply(after(5))
    assert world.statuses() == ["delivered"]


def test_two_in_doubt_to_one_msisdn_stay_in_doubt(world: World) -> None:
    world.accept("one")
    world.accept("two")
    lease = world.lease()
    for row in world.journal.claim(lease, 10, NOON):
        world.answered(lease, row, InDoubt("worker_lost"))
    world.receipt("m1", Status.DELIVERED)
    world.receipts.apply(after(5))
    assert world.statuses() == ["in_doubt", "in_doubt"]


def test_a_text_of_two_parts_is_delivered_when_both_are(world: World) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m1", Status.DELIVERED)
    assert world.statuses() == ["submitted"]
    world.receipt("m2", Status.DELIVERED)
    assert world.statuses() == ["delivered"]


def test_the_worst_part_decides(world: World) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m1", Status.DELIVERED)
    world.receipt("m2", Status.UNDELIVERED)
    assert world.statuses() == ["undelivered"]


def test_an_operator_that_receipts_one_part_of_two_is_believed_after_a_minute(
    world: World,
) -> None:
    world.submitted("m1", "m2", text=LONG)
    world.receipt("m2", Status.DELIVERED)
    world.receipts.apply(after(59))
    assert world.statuses() == ["submitted"]
    world.receipts.apply(after(62))
    assert world.statuses() == ["delivered"]


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
