"""Receipts move notifications forward, whenever and however often they come."""

from datetime import datetime

import pytest
from structlog.testing import capture_logs

from tests.stores.world import ASHA, JUMA, NOON, World, after
from ussdapp.core.inbound import Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Rejected, Submission, Submitted
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows

LONG = "Taarifa " * 30


def parts_delivered(world: World) -> list[int]:
    query = "SELECT parts_delivered FROM notifications ORDER BY id"
    return [row[0] for row in world.database.run(lambda link: rows(link, query))]


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


# receipts whose id was never told


def doubted(world: World, effect: str = "one", at: float = 0, text: str = "Habari") -> Submission:
    """One notification in doubt since `at`."""
    world.accept(effect, text=text)
    lease = world.lease(after(at))
    (row,) = world.journal.claim(lease, 10, after(at))
    world.answered(lease, row, InDoubt("worker_lost"), after(at))
    return row


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


# ids that are spelt otherwise


@pytest.mark.parametrize(
    ("told", "receipt"),
    [
        ("812FC7470000001B", "9308878062554710043"),
        ("9308878062554710043", "812fc7470000001b"),
        ("0000012345678901234567890", "12345678901234567890"),
        ("ABCDEF01", "abcdef01"),
        ("0d7e8f6c-4a5b", "d7e8f6c-4a5b"),
    ],
    ids=["hex, then decimal", "decimal, then hex", "leading zeros", "case", "a UUID cut short"],
)
def test_a_receipt_that_spells_the_id_otherwise_is_matched(
    world: World, told: str, receipt: str
) -> None:
    world.submitted(told)
    world.receipt(receipt, Status.DELIVERED)
    assert world.statuses() == ["delivered"]


def test_a_receipt_that_matches_as_spelt_wins(world: World) -> None:
    world.submitted("10")
    world.submitted("16")  # 0x10
    world.receipt("16", Status.DELIVERED)
    assert world.statuses() == ["submitted", "delivered"]


def test_a_base_is_learnt_and_another_is_believed_only_when_it_comes_again_and_again(
    world: World,
) -> None:
    ids = [f"{number:x}" for number in range(0xA000001, 0xA000004)]
    for spelt in ids:
        world.submitted(spelt)
        world.receipt(str(int(spelt, 16)), Status.DELIVERED)
    assert set(world.statuses()) == {"delivered"}
    others = [str(number) for number in range(77_000_001, 77_000_004)]
    with capture_logs() as logs:
        for at, spelt in enumerate(others, 10):
            assert world.statuses()[3:] == ["submitted"] * (at - 10)
            world.submitted(spelt, text=f"Habari {spelt}")
            world.receipt(f"{int(spelt):x}", Status.DELIVERED, at=at)
            for _ in range(3 if at < 12 else 0):
                world.receipts.apply(after(at))  # looking again teaches nothing
    world.receipts.apply(after(20))
    assert world.statuses() == ["delivered"] * 6, "what was parked is found by the new base"
    assert [(log["event"], log["base"]) for log in logs] == [
        ("receipt.base_changed", "decimal_to_hex")
    ]


# what is told at a glance, once an account's base is known


def settled(world: World, *, hexadecimal: bool = False) -> None:
    """Three notifications to JUMA whose receipts taught the account's base."""
    for number in range(0xB0000001, 0xB0000004):
        told = f"{number:x}"
        world.accept(f"settled {told}", msisdn=JUMA, text=told)
        lease = world.lease()
        (row,) = world.journal.claim(lease, 10, NOON)
        world.answered(lease, row, Submitted((told,)))
        world.receipt(str(number) if hexadecimal else told, Status.DELIVERED, msisdn=JUMA)


def came(
    message_id: str, status: Status = Status.DELIVERED, msisdn: Msisdn | None = ASHA, code: str = ""
) -> Receipt:
    return Receipt("sandbox", message_id, status, code, msisdn)


def outcomes(world: World) -> list[tuple[str, str, str]]:
    """What ended, after the three that settled the base."""
    query = """SELECT e.message_id, r.status, r.outcome
        FROM receipts r, unnest(r.message_ids) WITH ORDINALITY AS e (message_id, place)
        WHERE left(e.message_id, 4) <> 'b000' ORDER BY r.ended_at, r.ctid, e.place"""
    return [tuple(row) for row in world.database.run(lambda link: rows(link, query))]


def parked(world: World) -> int:
    query = "SELECT count(*) FROM parked_receipts"
    return int(world.database.run(lambda link: rows(link, query))[0][0])


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


def test_receipts_in_the_known_base_forget_a_stray_one_in_another(world: World) -> None:
    settled(world)
    for number in range(0xC0000001, 0xC0000006):
        world.submitted(f"{number:x}", text=f"Habari {number}")
    decimal = [str(0xC0000000 + number) for number in (1, 2, 3)]
    for at, stray in enumerate(decimal, 10):
        world.receipts.keep([came(stray)], after(at))
        world.receipts.apply(after(at + 0.5))
        if at == 11:
            world.receipts.keep([came("c0000005")], after(at + 0.6))
    assert world.statuses()[3:] == ["submitted"] * 4 + ["delivered"], "never three in a row"


@pytest.mark.parametrize(
    "spelt", ['a"b', "a\\b", "a\tb\nc", "null", "{x,y}", "a\0b", "a\ud800b", "é"]
)
def test_an_id_of_whatever_characters_is_kept(world: World, spelt: str) -> None:
    settled(world)
    world.receipts.keep([came(spelt, code=spelt), came("")], after(1))
    world.receipts.apply(after(2))
    assert parked(world) == 2
    world.submitted("m1")
    world.receipts.keep([came("m1", code=spelt), came(spelt)], after(3))
    assert world.statuses()[3:] == ["delivered"]


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
