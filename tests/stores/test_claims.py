"""Claims nobody heard of are given back; those that nobody can open are passed over."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import psycopg
import pytest

from tests.stores.world import NOON, SEAL, World, after
from ussdapp.core.inbound import Lease
from ussdapp.core.notification import Class, Lane
from ussdapp.ports import Submitted, Unavailable
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.journal import PgJournal

T = TypeVar("T")


class Stalled(Database):
    """While `stalls`, PostgreSQL is told to commit and does it only when the test says so."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.stalls = False
        self.under_way: list[Connection] = []
        self._where = url

    def run_once(self, work: Callable[[Connection], T]) -> T:
        if not self.stalls:
            return super().run_once(work)
        link = psycopg.connect(self._where)
        work(link)
        self.under_way.append(link)
        raise Unavailable("it did not answer")

    def commit(self) -> None:
        for link in self.under_way:
            link.commit()
            link.close()


def unheard(world: World) -> tuple[Stalled, PgJournal, Lease]:
    """One notification, claimed of a database that did not answer."""
    database = Stalled(world.url)
    journal = PgJournal(database, SEAL)
    world.accept("one", Class.BULK)
    lease = world.lease()
    database.stalls = True
    with pytest.raises(Unavailable):
        journal.claim(lease, 10, NOON, Lane.BULK)
    return database, journal, lease


def test_a_claim_that_commits_after_the_next_one_is_given_back_by_a_later_one(
    world: World,
) -> None:
    database, journal, lease = unheard(world)
    database.stalls = False
    assert journal.claim(lease, 10, after(1)) == []
    database.commit()
    assert world.statuses() == ["submitting"]
    assert [row.attempt for row in journal.claim(lease, 10, after(2))] == [1]
    database.close()


def test_what_was_never_committed_is_not_asked_for_without_end(world: World) -> None:
    database, journal, lease = unheard(world)
    lost = database.under_way.pop()
    lost.rollback()  # a closed one is rolled back by and by
    lost.close()
    database.stalls = False
    assert len(journal.claim(lease, 10, NOON + timedelta(minutes=2))) == 1
    assert journal._claims._unheard == {}
    database.close()


def test_windows_none_of_which_can_be_opened_are_passed_over(world: World) -> None:
    world.accept_bulk("ega", 0, ["Habari"] * 4, block=1)
    world.database.run(lambda link: link.execute("UPDATE contents SET text_sealed = ''") and None)
    world.accept_bulk("ega", 0, ["Habari"], block=1)
    (row,) = world.journal.claim(world.lease(), 2, NOON, Lane.BULK)
    assert world.statuses() == ["rejected"] * 4 + ["submitting"]
    world.answered(world.lease(), row, Submitted(("m1",)))
    assert world.database.run(lambda link: rows(link, "SELECT id FROM windows")) == []
