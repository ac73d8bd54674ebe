"""The one further copy of what is in doubt does not erase the doubt about the first."""

import pytest

from tests.stores.world import ASHA, NOON, World, after
from ussdapp.core.notification import Class
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted


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
