"""What a worker claimed and did not answer is in doubt, and what it never heard of is not."""

import pytest

from tests.stores.world import NOON, SEAL, World, after
from ussdapp.ports import Fenced, Submitted, Unavailable
from ussdapp.stores.database import Database, rows
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases


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
