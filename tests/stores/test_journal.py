"""The journaled sender's truth: claims, answers, doubt and the one further copy."""

import pytest

from tests.stores.world import ASHA, JUMA, NOON, SEAL, World, after
from ussdapp.core.inbound import Institution
from ussdapp.core.notification import Class, Lane
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.status import Status
from ussdapp.ports import (
    Deferred,
    Fenced,
    InDoubt,
    Outcome,
    Rejected,
    Submission,
    Submitted,
    Unavailable,
)
from ussdapp.stores.balance import balance
from ussdapp.stores.database import Database, rows
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases


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


def test_an_answer_for_some_rows_of_a_window_leaves_the_others_open(world: World) -> None:
    world.accept("one")
    world.accept("two")
    lease = world.lease()
    rows_ = world.journal.claim(lease, 10, NOON)
    world.answered(lease, rows_[1], Submitted(("m1",)))
    assert world.statuses() == ["submitting", "submitted"]
    world.unheard(60)
    world.leases.bury(after(60))
    assert world.statuses() == ["in_doubt", "submitted"]
    assert balance(world.database).holds


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


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Submitted(("m1",)), "submitted"),
        (Rejected("ESME_RINVDSTADR"), "rejected"),
        (InDoubt("no_answer"), "in_doubt"),
        (Deferred("ESME_RTHROTTLED", 2.0), "queued"),
    ],
    ids=["taken", "refused for good", "no answer", "asked for patience"],
)
def test_each_answer_has_one_status(world: World, outcome: object, status: str) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, outcome)  # type: ignore[arg-type]
    assert world.statuses() == [status]


def test_patience_is_no_copy_and_is_tried_again_after_its_pause(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    for round_ in range(7):
        (row,) = world.journal.claim(lease, 10, after(10 * round_))
        world.answered(lease, row, Deferred("ESME_RTHROTTLED", 2.0), after(10 * round_))
        assert world.journal.claim(lease, 10, after(10 * round_ + 1)) == []
    copies = world.database.run(
        lambda link: rows(link, "SELECT copies, attempts FROM notifications")
    )
    assert copies == [(0, 1)]
    query = "SELECT attempt, writes, outcome, detail FROM attempts"
    journal = world.database.run(lambda link: rows(link, query))
    assert journal == [(1, 7, "deferred", "ESME_RTHROTTLED")], "the journal does not grow"


def test_a_refusal_for_now_ends_after_five_tries(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    for round_ in range(5):
        (row,) = world.journal.claim(lease, 10, after(700 * round_))
        world.answered(lease, row, Deferred("ESME_RSYSERR", 15.0, counts=True), after(700 * round_))
    assert world.statuses() == ["rejected"]


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


def test_a_dead_workers_rows_are_in_doubt_as_soon_as_the_next_one_takes_the_lease(
    world: World,
) -> None:
    world.accept("one")
    world.journal.claim(world.lease(), 10, NOON)
    world.died()
    successor = PgLeases(world.database, world.url)
    assert successor.take("sandbox", 1, after(1))
    assert world.statuses() == ["in_doubt"]
    successor.release()


def test_a_worker_whose_lease_was_taken_claims_nothing(world: World) -> None:
    world.accept("one")
    frozen = world.lease()
    successor = PgLeases(world.database, world.url)
    assert successor.take("sandbox", 1, after(10)) is None  # the frozen one was heard of just now
    world.unheard(60)
    lease = successor.take("sandbox", 1, after(60))
    assert lease
    with pytest.raises(Fenced):
        world.journal.claim(frozen, 10, after(61))
    assert not world.leases.renew(frozen, after(61))
    assert len(world.journal.claim(lease, 10, after(61))) == 1
    successor.release()


def test_an_answer_that_comes_after_the_lease_was_lost_still_settles_the_doubt(
    world: World,
) -> None:
    world.accept("one")
    frozen = world.lease()
    (row,) = world.journal.claim(frozen, 10, NOON)
    successor = PgLeases(world.database, world.url)
    world.unheard(60)
    successor.take("sandbox", 1, after(60))
    assert world.statuses() == ["in_doubt"]
    world.answered(frozen, row, Submitted(("m1",)), after(61))
    assert world.statuses() == ["submitted"]
    successor.release()


def test_nobody_returns_and_the_reconciler_puts_the_rows_in_doubt(world: World) -> None:
    world.accept("one")
    world.journal.claim(world.lease(), 10, NOON)
    world.unheard(25)
    assert world.leases.bury(after(25)) == 0
    world.unheard(6)
    assert world.leases.bury(after(31)) == 1
    assert world.statuses() == ["in_doubt"]
    assert world.leases.bury(after(32)) == 0


@pytest.mark.parametrize(
    ("klass", "patience", "copies"),
    [
        (Class.URGENT, 120, 2),
        (Class.RECEIPT, 300, 2),
        (Class.TRANSACTION, None, 1),
        (Class.BULK, None, 1),
    ],
    ids=lambda value: getattr(value, "value", str(value)),
)
def test_doubt_is_resent_once_only_where_the_class_allows_it(
    world: World, klass: Class, patience: int | None, copies: int
) -> None:
    world.accept("one", klass)
    made = 0
    for round_ in range(4):
        at = round_ * (patience or 600)
        lease = world.lease(after(at))
        world.journal.settle(after(at))
        for row in world.journal.claim(lease, 10, after(at)):
            made += 1
            world.answered(lease, row, InDoubt("no_answer"), after(at))
        if patience:
            assert world.journal.settle(after(at + patience - 1)) == 0
    assert made == copies
    assert world.statuses() == ["in_doubt"]


class Deaf(Database):
    """Commits, and once is not heard of."""

    deaf = False

    def run_once(self, work):  # type: ignore[no-untyped-def]
        found = super().run_once(work)
        if self.deaf:
            self.deaf = False
            raise Unavailable
        return found


def test_a_claim_that_committed_unheard_is_given_back_by_the_next_and_nothing_else_is(
    world: World,
) -> None:
    database = Deaf(world.url)
    journal = PgJournal(database, SEAL)
    world.accept("stranded")
    lease = world.lease()
    (stranded,) = journal.claim(lease, 10, NOON)
    world.accept("one")
    database.deaf = True
    with pytest.raises(Unavailable):
        journal.claim(lease, 10, NOON)
    (row,) = journal.claim(lease, 10, after(1))
    assert row.id != stranded.id, "what was claimed and heard of may have left"
    world.answered(lease, row, Submitted(("m1",)), after(1))
    assert world.statuses() == ["submitting", "submitted"]
    query = "SELECT attempt, part FROM submits WHERE notification_id = %s"
    assert world.database.run(lambda link: rows(link, query, (row.id,))) == [(1, 1)]
    database.close()


# a resend does not erase the doubt about the first copy


def doubted(world: World, klass: Class = Class.RECEIPT, text: str = "Habari") -> Submission:
    """One notification whose first copy is in doubt and which is queued for its second."""
    world.accept("one", klass, text=text)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("no_answer"))
    assert world.journal.settle(after(300)) == 1
    return row


REFUSALS = [
    Rejected("ESME_RINVDSTADR"),
    InDoubt("no_answer"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["refused for good", "no answer again"])
def test_a_second_copy_that_does_not_arrive_leaves_the_doubt_about_the_first(
    world: World, refusal: Outcome
) -> None:
    doubted(world)
    lease = world.lease(after(301))
    (copy,) = world.journal.claim(lease, 10, after(301))
    world.answered(lease, copy, refusal, after(302))
    assert world.statuses() == ["in_doubt"]
    assert world.journal.settle(after(3000)) == 0, "there is no third copy"


def test_a_second_copy_that_is_refused_for_now_too_often_leaves_the_doubt(world: World) -> None:
    doubted(world)
    for round_ in range(5):
        at = 301 + 300 * round_
        lease = world.lease(after(at))
        (copy,) = world.journal.claim(lease, 10, after(at))
        world.answered(lease, copy, Deferred("ESME_RSYSERR", 15.0, counts=True), after(at))
    assert world.statuses() == ["in_doubt"]
    assert world.journal.settle(after(3000)) == 0


def test_what_is_too_old_for_its_second_copy_stays_in_doubt(world: World) -> None:
    doubted(world)
    assert world.journal.claim(world.lease(after(3600)), 10, after(3600)) == []
    assert world.statuses() == ["in_doubt"]
    assert world.journal.settle(after(9000)) == 0


def test_an_opt_out_before_the_second_copy_leaves_the_doubt(world: World) -> None:
    row = doubted(world)
    change = "UPDATE notifications SET class = 'transaction' WHERE id = %s"  # a person resends it
    world.database.run(lambda link: link.execute(change, (row.id,)) and None)
    world.opt_outs.opt_out(ASHA, None, after(301), Learnt.SMS)
    assert world.journal.claim(world.lease(after(302)), 10, after(302)) == []
    assert world.statuses() == ["in_doubt"]


def test_a_late_answer_while_it_waits_for_its_second_copy_spares_it(world: World) -> None:
    row = doubted(world)
    lease = world.lease(after(301))
    world.answered(lease, row, Submitted(("m1",)), after(301))
    assert world.statuses() == ["submitted"]
    assert world.journal.claim(lease, 10, after(302)) == []
    world.receipt("m1", Status.DELIVERED, 303)
    assert world.statuses() == ["delivered"]


def test_a_late_refusal_of_the_first_copy_is_final_once_the_second_is_refused(
    world: World,
) -> None:
    row = doubted(world)
    lease = world.lease(after(301))
    (copy,) = world.journal.claim(lease, 10, after(301))
    world.answered(lease, copy, Rejected("ESME_RINVDSTADR"), after(302))
    assert world.statuses() == ["in_doubt"]
    world.answered(lease, row, Rejected("ESME_RINVDSTADR"), after(303))
    assert world.statuses() == ["rejected"]


def test_a_first_copy_taken_late_outweighs_the_refusal_of_the_second(world: World) -> None:
    row = doubted(world)
    lease = world.lease(after(301))
    (copy,) = world.journal.claim(lease, 10, after(301))
    world.answered(lease, row, Submitted(("m1",)), after(302))
    assert world.statuses() == ["submitted"]
    world.answered(lease, copy, Rejected("ESME_RINVDSTADR"), after(303))
    assert world.statuses() == ["submitted"]
    world.receipt("m1", Status.DELIVERED, 304)
    assert world.statuses() == ["delivered"]


def test_an_answer_is_recorded_once_whatever_comes_after_it(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, Submitted(("m1",)))
    for outcome in (InDoubt("no_answer"), Rejected("x"), Deferred("y", 1.0)):
        world.answered(lease, row, outcome, after(1))
    assert world.statuses() == ["submitted"]


def test_an_old_answer_told_again_does_not_touch_a_newer_write_of_the_attempt(
    world: World,
) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, Deferred("ESME_RTHROTTLED", 2.0))
    world.journal.claim(lease, 10, after(3))
    world.answered(lease, row, Deferred("ESME_RTHROTTLED", 2.0), after(4))
    assert world.statuses() == ["submitting"]


# texts of several parts

LONG = "Taarifa " * 30


def test_parts_that_were_taken_are_known_and_only_the_others_are_due(world: World) -> None:
    world.accept("one", text=LONG)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, Deferred("ESME_RTHROTTLED", 2.0, taken=((1, "m1"),)))
    (rest,) = world.journal.claim(lease, 10, after(3))
    assert (rest.attempt, rest.taken) == (2, frozenset({1}))
    world.answered(lease, rest, Deferred("ESME_RTHROTTLED", 2.0), after(3))
    (rest,) = world.journal.claim(lease, 10, after(6))
    assert (rest.attempt, rest.taken) == (2, frozenset({1}))
    world.answered(lease, rest, Submitted(("m2",)), after(6))
    assert world.statuses() == ["submitted"]
    world.receipt("m1", Status.DELIVERED, 7)
    assert world.statuses() == ["submitted"]
    world.receipt("m2", Status.DELIVERED, 8)
    assert world.statuses() == ["delivered"]
    assert world.database.run(lambda link: rows(link, "SELECT copies FROM notifications")) == [(1,)]


def test_a_part_that_was_taken_beside_one_in_doubt_is_not_submitted_again(world: World) -> None:
    world.accept("one", text=LONG)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("no_answer", ((2, "m2"),)))
    world.receipt("m2", Status.DELIVERED, 5)
    world.receipts.apply(after(200))
    assert world.statuses() == ["in_doubt"], "that tells nothing of the other part"
    world.journal.settle(after(300))
    lease = world.lease(after(300))
    (again,) = world.journal.claim(lease, 10, after(300))
    assert again.taken == {2}
    world.answered(lease, again, Submitted(("m1",)), after(301))
    world.receipt("m1", Status.DELIVERED, 302)
    assert world.statuses() == ["delivered"], "by part, over both attempts"


def test_the_part_in_doubt_is_settled_by_its_late_answer(world: World) -> None:
    world.accept("one", text=LONG)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("no_answer", ((2, "m2"),)))
    world.answered(lease, row, Submitted(("m1", "m2")), after(90))
    assert world.statuses() == ["submitted"]


def test_the_channels_with_work_are_named(world: World) -> None:
    assert world.journal.due(NOON) == []
    world.accept("one")
    assert world.journal.due(NOON) == ["sandbox"]


# what a claim must survive


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
