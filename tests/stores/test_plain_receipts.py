"""What a receipt tells at a glance, once its account's base is known."""

import pytest
from structlog.testing import capture_logs

from tests.stores.receipts import LONG, came, doubted, outcomes, parked, settled
from tests.stores.world import JUMA, NOON, World, after
from ussdapp.core.status import Status
from ussdapp.ports import Submitted
from ussdapp.stores.balance import balance


@pytest.mark.parametrize("hexadecimal", [False, True], ids=["as spelt", "decimal for hex"])
def test_a_plain_receipt_is_applied_as_it_is_kept(world: World, hexadecimal: bool) -> None:
    settled(world, hexadecimal=hexadecimal)
    world.submitted("C0FFEE01")
    receipt_id = str(0xC0FFEE01) if hexadecimal else "0c0ffee01"
    world.receipts.keep([came(receipt_id, Status.UNDELIVERED)], after(5))
    assert world.statuses()[3:] == ["undelivered"]
    assert parked(world) == 0
    assert balance(world.database).holds


def test_of_contradictory_receipts_the_first_decides_and_the_other_is_kept_as_a_conflict(
    world: World,
) -> None:
    settled(world)
    world.submitted("m1")
    with capture_logs() as logs:
        world.receipts.keep(
            [came("m1"), came("m1", Status.UNDELIVERED), came("m1", Status.SUBMITTED)], after(5)
        )
        world.receipts.keep([came("m1"), came("m1", Status.EXPIRED)], after(6))
    assert world.statuses()[3:] == ["delivered"]
    assert outcomes(world) == [
        ("m1", "delivered", "applied"),
        ("m1", "undelivered", "conflict"),
        ("m1", "submitted", "nothing_new"),
        ("m1", "delivered", "nothing_new"),
        ("m1", "expired", "conflict"),
    ]
    assert [(log["event"], log["count"]) for log in logs] == [("receipt.conflict", 1)] * 2


def test_of_contradictory_receipts_of_one_part_the_first_decides(world: World) -> None:
    world.submitted("m1", "m2", text=LONG)
    statuses = (Status.DELIVERED, Status.UNDELIVERED, Status.DELIVERED)
    world.receipts.keep([came("m1", status) for status in statuses], after(5))
    world.receipts.apply(after(5))
    world.receipt("m1", Status.REJECTED, at=6)
    assert world.statuses() == ["submitted"]
    assert [outcome for _, _, outcome in outcomes(world)] == [
        "applied", "nothing_new", "conflict", "conflict",
    ]  # fmt: skip


def test_a_receipt_that_outruns_its_answer_is_found_soon_after(world: World) -> None:
    settled(world)
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.receipts.keep([came("m1"), came("m1"), came("m1", Status.REJECTED)], after(1))
    world.receipts.apply(after(1.1))
    world.answered(lease, row, Submitted(("m1",)))
    world.receipts.apply(after(1.3))
    assert world.statuses()[3:] == ["delivered"]
    assert sorted(outcome for _, _, outcome in outcomes(world)) == [
        "applied", "conflict", "nothing_new",
    ]  # fmt: skip


def test_a_receipt_that_is_not_plain_is_weighed(world: World) -> None:
    settled(world)
    world.submitted("m1", "m2", text=LONG)
    world.receipts.keep([came("m1")], after(5))
    assert (world.statuses()[3:], parked(world)) == (["submitted"], 1)
    world.receipts.apply(after(5))
    world.receipt("m2", Status.DELIVERED, at=6)
    assert (world.statuses()[3:], parked(world)) == (["delivered"], 0)


def test_a_failed_first_copy_condemns_nothing_while_the_second_is_submitted(world: World) -> None:
    settled(world)
    row = doubted(world)
    world.journal.settle(after(300))
    lease = world.lease(after(300))
    (copy,) = world.journal.claim(lease, 10, after(300))
    world.answered(lease, row, Submitted(("m1",)), after(301))
    world.answered(lease, copy, Submitted(("m2",)), after(301))
    world.receipt("m1", Status.UNDELIVERED, at=302)
    assert world.statuses()[3:] == ["submitted"]
    world.receipt("m2", Status.DELIVERED, at=303)
    assert world.statuses()[3:] == ["delivered"]


def test_a_plain_receipt_to_another_msisdn_or_to_none_is_weighed(world: World) -> None:
    settled(world)
    world.submitted("m1")
    world.submitted("m2", text="Nyingine")
    with capture_logs() as logs:
        world.receipts.keep([came("m1", msisdn=JUMA), came("m2", msisdn=None)], after(5))
        world.receipts.apply(after(5))
    assert world.statuses()[3:] == ["submitted", "delivered"]
    assert [log["event"] for log in logs] == ["receipt.mismatched"]


def test_an_id_used_again_means_the_newer_submit_also_at_a_glance(world: World) -> None:
    settled(world)
    world.submitted("m1")
    world.accept("second", text="Nyingine")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, after(100))
    world.answered(lease, row, Submitted(("m1",)), after(100))
    world.receipts.keep([came("m1", Status.UNDELIVERED)], after(101))
    assert world.statuses()[3:] == ["submitted", "undelivered"]
