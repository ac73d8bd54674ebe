"""What is due later lies where no claim looks, and takes its turn when its time has come."""

from datetime import UTC, datetime, timedelta

from tests.stores.world import World
from ussdapp.core.notification import Class, Lane
from ussdapp.stores.database import rows
from ussdapp.stores.queue import unpark

SOON = datetime.now(UTC) + timedelta(days=1)  # of the server's clock, by which blocks are parked


def looked_at(world: World, at: datetime) -> int:
    """How many blocks a claim reads at that moment."""
    query = """SELECT count(*) FROM queue WHERE channel = 'sandbox'
        AND turn <= (1::bigint << 61) + (extract(epoch FROM %s::timestamptz) * 1000)::bigint"""
    return int(world.database.run(lambda link: rows(link, query, (at,)))[0][0])


def test_no_claim_looks_at_what_is_due_later(world: World) -> None:
    for number in range(20):
        world.accept(f"later {number}", Class.URGENT, text=f"text {number}", at=SOON)
    assert looked_at(world, SOON - timedelta(minutes=1)) == 0
    lease = world.lease()
    assert world.journal.claim(lease, 50, SOON - timedelta(minutes=1)) == []
    assert len(world.journal.claim(lease, 50, SOON)) == 20  # also where nobody dealt turns


def test_what_has_become_due_takes_its_turn_beside_the_others(world: World) -> None:
    world.accept("scheduled", Class.TRANSACTION, text="scheduled", at=SOON)
    for number in range(5):
        world.accept(f"n{number}", Class.TRANSACTION, text=f"text {number}")
    assert unpark(world.database, SOON - timedelta(seconds=1)) == 0
    assert unpark(world.database, SOON) == 1
    assert unpark(world.database, SOON) == 0
    turns = world.database.run(lambda link: rows(link, "SELECT max(turn) FROM queue"))
    assert turns[0][0] < 100
    claimed = world.journal.claim(world.lease(), 50, SOON, Lane.EXPRESS)
    assert [row.text for row in claimed] == ["scheduled"]  # the others are too old by then


def test_who_schedules_much_is_not_ahead_of_who_sends_now(world: World) -> None:
    for number in range(5):
        world.accept(f"later {number}", text=f"later {number}", at=SOON)
    world.accept("now", text="now")
    query = "SELECT turn < 100 FROM queue ORDER BY id DESC LIMIT 1"
    assert world.database.run(lambda link: rows(link, query)) == [(True,)]
    unpark(world.database, SOON)
    query = "SELECT count(DISTINCT turn) FROM queue"
    assert world.database.run(lambda link: rows(link, query)) == [(6,)]
