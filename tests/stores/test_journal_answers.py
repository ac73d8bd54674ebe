"""What an operator answers is recorded once, part by part."""

import pytest

from tests.stores.world import NOON, World, after
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Rejected, Submitted
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows


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
