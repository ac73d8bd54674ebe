"""What is claimed of the queue, in which order, and what a claim survives."""

from tests.stores.world import ASHA, JUMA, NOON, World, after
from ussdapp.core.inbound import Institution
from ussdapp.core.notification import Class, Lane
from ussdapp.core.opt_outs import Learnt
from ussdapp.ports import Submitted
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows


def test_a_claim_is_journaled_with_its_attempt_before_it_returns(world: World) -> None:
    world.accept("one")
    (row,) = world.journal.claim(world.lease(), 10, NOON)
    assert (row.attempt, row.msisdn.digits, row.text) == (1, ASHA.digits, "Habari")
    assert world.statuses() == ["submitting"]
    journal = world.database.run(lambda link: rows(link, "SELECT bind, epoch, ids FROM windows"))
    assert journal == [(1, 1, [row.id])]


def test_the_highest_class_is_claimed_first_and_bulk_in_a_lane_of_its_own(world: World) -> None:
    for klass in (Class.BULK, Class.TRANSACTION, Class.RECEIPT, Class.URGENT):
        world.accept(klass.value, klass, text=klass.value)
    lease = world.lease()
    express = world.journal.claim(lease, 10, NOON, Lane.EXPRESS)
    assert [row.text for row in express] == ["urgent", "receipt", "transaction"]
    assert [row.text for row in world.journal.claim(lease, 10, NOON, Lane.BULK)] == ["bulk"]


def test_a_million_of_one_institution_do_not_delay_anothers_few(world: World) -> None:
    world.institutions.add([Institution("luku", "TANESCO", "TANESCO", "nishati")])
    world.accept_bulk("ega", 1, [f"ega {number}" for number in range(50)], block=5)
    world.accept_bulk("luku", 2, [f"luku {number}" for number in range(5)], block=5)
    world.accept_bulk("luku", 3, [f"other {number}" for number in range(5)], block=5)
    lease = world.lease()
    order = [world.journal.claim(lease, 5, NOON, Lane.BULK)[0].text for _ in range(6)]
    assert order == ["ega 0", "luku 0", "other 0", "ega 5", "ega 10", "ega 15"]


def test_a_window_takes_a_part_of_a_block_and_leaves_the_rest(world: World) -> None:
    world.accept_bulk("ega", 1, [f"ega {number}" for number in range(7)], block=7)
    lease = world.lease()
    sizes = [len(world.journal.claim(lease, 3, NOON, Lane.BULK)) for _ in range(4)]
    assert sizes == [3, 3, 1, 0]
    assert balance(world.database).holds


def test_a_window_takes_many_small_blocks(world: World) -> None:
    for number in range(7):
        world.accept(f"n{number}", text=f"text {number}")
    lease = world.lease()
    assert [len(world.journal.claim(lease, 5, NOON)) for _ in range(3)] == [5, 2, 0]


def test_an_msisdn_gets_five_of_a_text_and_eighteen_of_all_in_an_hour(world: World) -> None:
    for number in range(7):
        world.accept(f"same {number}", Class.TRANSACTION)
    for number in range(20):
        world.accept(f"other {number}", Class.TRANSACTION, text=f"Habari {number}")
    world.accept("alarm", Class.URGENT, text="Mafuriko")
    lease = world.lease()
    first = world.journal.claim(lease, 30, NOON)
    assert len([row for row in first if row.text == "Habari"]) == 5
    world.journal.record(lease, [(row, Submitted((f"m{row.id}",))) for row in first], NOON)
    statuses = world.statuses()
    assert statuses.count("queued") == 28 - len(first)
    assert len(first) <= 19
    lease = world.lease(after(1200))
    assert world.journal.claim(lease, 30, after(1200)) == []
    assert balance(world.database).holds


def test_what_waited_for_its_msisdns_hour_is_submitted_after_it(world: World) -> None:
    for _ in range(7):
        world.accept_bulk("ega", 1, ["Habari"], msisdn=ASHA, lives=24)
    lease = world.lease()
    for row in world.journal.claim(lease, 30, NOON):
        world.answered(lease, row, Submitted((f"m{row.id}",)))
    assert world.statuses().count("queued") == 2
    lease = world.lease(after(3700))
    assert len(world.journal.claim(lease, 30, after(3700))) == 2


def test_no_row_is_claimed_twice(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    assert len(world.journal.claim(lease, 10, NOON)) == 1
    assert world.journal.claim(lease, 10, NOON) == []


def test_what_is_too_old_expires_and_is_never_claimed(world: World) -> None:
    world.accept("one")
    assert world.journal.claim(world.lease(), 10, after(3600)) == []
    assert world.statuses() == ["expired"]


def test_an_opt_out_stops_bulk_and_not_the_answer_to_a_citizen(world: World) -> None:
    world.opt_outs.opt_out(ASHA, None, NOON, Learnt.SMS)
    world.accept("bulk", Class.BULK)
    world.accept("answer", Class.RECEIPT)
    world.accept("another's bulk", Class.BULK, JUMA)
    lease = world.lease()
    assert len(world.journal.claim(lease, 10, NOON, Lane.BULK)) == 1
    assert len(world.journal.claim(lease, 10, NOON, Lane.EXPRESS)) == 1
    assert world.statuses() == ["rejected", "submitting", "submitting"]


def test_one_who_opted_in_again_gets_bulk_again(world: World) -> None:
    world.opt_outs.opt_out(ASHA, "ega", NOON, Learnt.SMS)
    world.opt_outs.opt_out(ASHA, "ega", after(1), Learnt.SMS)
    world.opt_outs.opt_in(ASHA, None, after(2), Learnt.SMS)
    world.accept("bulk", Class.BULK)
    assert len(world.journal.claim(world.lease(), 10, after(3))) == 1


def test_the_channels_with_work_are_named(world: World) -> None:
    assert world.journal.due(NOON) == []
    world.accept("one")
    assert world.journal.due(NOON) == ["sandbox"]


def test_a_thousand_to_one_msisdn_hold_up_nobody(world: World) -> None:
    world.accept_bulk("ega", 1, [f"text {number}" for number in range(1000)], msisdn=ASHA)
    world.accept_bulk("ega", 2, ["Habari"], msisdn=JUMA)
    lease = world.lease()
    taken: list[str] = []
    while rows_ := world.journal.claim(lease, 500, NOON, Lane.BULK):
        taken += [row.msisdn.digits for row in rows_]
    assert taken.count(JUMA.digits) == 1
    assert taken.count(ASHA.digits) == 18
    assert balance(world.database).holds


def test_what_expired_is_ended_round_by_round_and_the_rest_is_reached(world: World) -> None:
    for number in range(6):
        world.accept(f"old {number}", Class.TRANSACTION, text=f"old {number}")
    world.accept("new", Class.TRANSACTION, text="new", at=after(4000))
    lease = world.lease(after(4001))
    assert [row.text for row in world.journal.claim(lease, 2, after(4001))] == ["new"]
    assert world.statuses() == ["expired"] * 6 + ["submitting"]


def test_what_cannot_be_opened_is_rejected_and_the_others_of_its_window_leave(
    world: World,
) -> None:
    for number in range(3):
        world.accept(f"n{number}", text=f"text {number}")
    spoil = "UPDATE contents SET text_sealed = '\\x00' WHERE notification_id = 1"
    world.database.run(lambda link: link.execute(spoil) and None)
    world.database.run(
        lambda link: link.execute("DELETE FROM contents WHERE notification_id = 2") and None
    )
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    assert world.statuses() == ["rejected", "rejected", "submitting"]
    world.answered(lease, row, Submitted(("m1",)))
    assert balance(world.database).holds
