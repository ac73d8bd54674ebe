"""The journaled sender's truth: claims, answers, doubt and the one further copy."""

import pytest

from tests.stores.world import ASHA, JUMA, NOON, World, after
from ussdapp.core.notification import Class
from ussdapp.ports import Deferred, Fenced, InDoubt, Rejected, Submitted
from ussdapp.stores.database import rows
from ussdapp.stores.leases import PgLeases


def test_a_claim_is_journaled_with_its_attempt_before_it_returns(world: World) -> None:
    world.accept("one")
    (row,) = world.journal.claim(world.lease(), 10, NOON)
    assert (row.attempt, row.msisdn.digits, row.text) == (1, ASHA.digits, "Habari")
    assert world.statuses() == ["submitting"]
    journal = world.database.run(lambda link: rows(link, "SELECT attempt, outcome FROM attempts"))
    assert journal == [(1, None)]


def test_the_highest_class_is_claimed_first(world: World) -> None:
    for klass in (Class.BULK, Class.TRANSACTION, Class.RECEIPT, Class.URGENT):
        world.accept(klass.value, klass, text=klass.value)
    claimed = world.journal.claim(world.lease(), 10, NOON)
    assert [row.text for row in claimed] == ["urgent", "receipt", "transaction", "bulk"]


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
    assert copies == [(0, 7)]


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
    world.opt_outs.opt_out(ASHA, None, NOON)
    world.accept("bulk", Class.BULK)
    world.accept("answer", Class.RECEIPT)
    world.accept("another's bulk", Class.BULK, JUMA)
    assert len(world.journal.claim(world.lease(), 10, NOON)) == 2
    assert world.statuses() == ["rejected", "submitting", "submitting"]


def test_one_who_opted_in_again_gets_bulk_again(world: World) -> None:
    world.opt_outs.opt_out(ASHA, "ega", NOON)
    world.opt_outs.opt_out(ASHA, "ega", after(1))
    world.opt_outs.opt_in(ASHA, None, after(2))
    world.accept("bulk", Class.BULK)
    assert len(world.journal.claim(world.lease(), 10, after(3))) == 1


def test_a_dead_workers_rows_are_in_doubt_as_soon_as_the_next_one_takes_the_lease(
    world: World,
) -> None:
    world.accept("one")
    world.journal.claim(world.lease(), 10, NOON)
    world.leases.release()  # as the kernel does for a killed process
    successor = PgLeases(world.database, world.url)
    assert successor.take("sandbox", 1, after(1))
    assert world.statuses() == ["in_doubt"]
    successor.release()


def test_a_worker_whose_lease_was_taken_claims_nothing(world: World) -> None:
    world.accept("one")
    frozen = world.lease()
    successor = PgLeases(world.database, world.url)
    assert successor.take("sandbox", 1, after(10)) is None  # the frozen one was heard of just now
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
    successor.take("sandbox", 1, after(60))
    assert world.statuses() == ["in_doubt"]
    world.answered(frozen, row, Submitted(("m1",)), after(61))
    assert world.statuses() == ["submitted"]
    successor.release()


def test_nobody_returns_and_the_reconciler_puts_the_rows_in_doubt(world: World) -> None:
    world.accept("one")
    world.journal.claim(world.lease(), 10, NOON)
    assert world.leases.bury(after(29)) == 0
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


def test_a_claim_that_committed_unheard_is_given_back_by_the_next(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    world.journal.claim(lease, 10, NOON)  # its answer is lost with the connection
    world.journal._unsure = True
    (row,) = world.journal.claim(lease, 10, after(1))
    assert row.attempt == 2
    world.answered(lease, row, Submitted(("m1",)), after(1))
    query = "SELECT attempt, outcome FROM attempts ORDER BY attempt"
    journal = world.database.run(lambda link: rows(link, query))
    assert journal == [(1, "deferred"), (2, "submitted")]


def test_the_channels_with_work_are_named(world: World) -> None:
    assert world.journal.due(NOON) == []
    world.accept("one")
    assert world.journal.due(NOON) == ["sandbox"]
