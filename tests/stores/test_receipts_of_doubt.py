"""What is in doubt is settled by a receipt whose id was never told, where it can mean no other."""

import pytest

from tests.stores.receipts import doubted
from tests.stores.world import ASHA, NOON, World, after
from ussdapp.core.inbound import Receipt
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Rejected, Submitted


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


def test_a_receipt_that_came_before_the_submit_settles_no_doubt(world: World) -> None:
    world.receipt("stray", Status.UNDELIVERED, at=-3600)
    doubted(world)
    world.receipts.apply(after(5))
    assert world.statuses() == ["in_doubt"]


def test_a_receipt_that_came_days_later_settles_no_doubt(world: World) -> None:
    doubted(world)
    days = 3 * 86400 + 60
    world.receipt("stray", Status.DELIVERED, at=days)
    world.receipts.apply(after(days + 5))
    assert world.statuses() == ["in_doubt"]


@pytest.mark.parametrize(
    ("submitted_on", "status"),
    [(290, "delivered"), (-290, "delivered"), (310, "in_doubt"), (-310, "in_doubt")],
)
def test_a_receipt_that_says_when_it_was_submitted_must_mean_that_attempt(
    world: World, submitted_on: float, status: str
) -> None:
    doubted(world)
    receipt = Receipt("sandbox", "m1", Status.DELIVERED, "", ASHA, after(submitted_on))
    world.receipts.keep([receipt], after(600))
    world.receipts.apply(after(605))
    assert world.statuses() == [status]


@pytest.mark.parametrize("other", ["submitting", "submitted", "queued again"])
def test_a_doubt_is_not_settled_while_another_to_that_msisdn_waits_for_a_receipt(
    world: World, other: str
) -> None:
    if other == "queued again":
        doubted(world, "other")
        world.journal.settle(after(300))
        change = "UPDATE queue SET due_at = due_at + interval '1 hour'"
        world.database.run(lambda link: link.execute(change) and None)
    else:
        world.accept("other")
        (row,) = world.journal.claim(world.lease(), 10, NOON)
        if other == "submitted":
            world.answered(world.lease(), row, Submitted(("known",)))
    doubted(world, "one", at=301)
    before = world.statuses()
    world.receipt("stray", Status.DELIVERED, at=302)
    world.receipts.apply(after(310))
    assert world.statuses() == before


def test_a_receipt_of_the_first_copy_spares_the_second(world: World) -> None:
    doubted(world)
    world.journal.settle(after(300))
    world.receipt("m1", Status.DELIVERED, at=300)
    world.receipts.apply(after(305))
    assert world.statuses() == ["delivered"]
    assert world.journal.claim(world.lease(after(306)), 10, after(306)) == []


def test_a_receipt_of_the_first_copy_counts_while_the_second_is_submitted(world: World) -> None:
    row = doubted(world)
    world.journal.settle(after(300))
    lease = world.lease(after(300))
    (copy,) = world.journal.claim(lease, 10, after(300))
    world.answered(lease, row, Submitted(("m1",)), after(301))
    world.receipt("m1", Status.DELIVERED, at=302)
    assert world.statuses() == ["delivered"]
    world.answered(lease, copy, Rejected("ESME_RINVDSTADR"), after(303))
    assert world.statuses() == ["delivered"]


def test_a_guess_about_one_part_does_not_hide_its_late_answer(world: World) -> None:
    row = doubted(world)
    world.receipt("m1", Status.SUBMITTED)
    world.receipts.apply(after(5))
    assert world.statuses() == ["submitted"]
    world.answered(world.lease(after(6)), row, Submitted(("m2",)), after(6))
    world.receipt("m2", Status.DELIVERED, 7)
    assert world.statuses() == ["delivered"]
