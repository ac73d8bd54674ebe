"""Why is it stuck, asked of a real database."""

from datetime import timedelta

from tests.stores.world import ASHA, JUMA, NOON, World, after
from ussdapp.core.notification import Class
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Submitted
from ussdapp.stores.database import rows
from ussdapp.stores.why import why


def told(world: World, at: float = 0, number: int | None = None) -> str:
    if number is None:
        number = world.database.run(lambda link: rows(link, "SELECT max(id) FROM notifications"))[
            0
        ][0]
    said = why(world.database, number, after(at))
    assert said
    return said


def bound(world: World, at: float = 0) -> None:
    lease = world.lease(after(at))
    assert world.leases.renew(lease, after(at))


def test_of_none_nothing_is_told(world: World) -> None:
    assert why(world.database, 7, NOON) is None


def test_a_channel_that_nobody_binds_is_the_reason(world: World) -> None:
    world.accept("one")
    assert "channel sandbox was never bound" in told(world)
    bound(world)
    assert "its turn is next" in told(world)
    assert "channel sandbox is down since 09:00:00" in told(world, 31)


def test_those_ahead_are_those_of_its_own_lane(world: World) -> None:
    world.accept_bulk("ega", 1, [f"n{number}" for number in range(50)], block=10)
    world.accept("waits", Class.TRANSACTION)
    bound(world)
    assert "its turn is next" in told(world)
    world.accept("urgent", Class.URGENT, JUMA)
    number = world.database.run(
        lambda link: rows(link, "SELECT id FROM notifications WHERE class = 'transaction'")
    )[0][0]
    assert "after about 1 others" in told(world, number=number)
    last = world.database.run(
        lambda link: rows(link, "SELECT max(id) FROM notifications WHERE class = 'bulk'")
    )[0][0]
    assert "after about 49 others" in told(world, number=last)


def test_a_row_passes_through_its_states(world: World) -> None:
    world.accept("one")
    bound(world)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, after(1))
    assert told(world, 2).startswith("submitting since 09:00:01 UTC on channel sandbox")
    world.answered(lease, row, Deferred("ESME_RTHROTTLED", 2.0), after(2))
    assert "(the operator said ESME_RTHROTTLED): it is tried again at 09:00:04" in told(world, 3)
    (row,) = world.journal.claim(lease, 10, after(5))
    world.answered(lease, row, InDoubt("no_answer"), after(6))
    assert "its one further copy is submitted after 09:05:06" in told(world, 7)
    world.journal.settle(after(310))
    assert "its one further copy is due" in told(world, 311)
    (row,) = world.journal.claim(lease, 10, after(312))
    world.answered(lease, row, Submitted(("m1",)), after(313))
    assert "its receipt is awaited" in told(world, 314)
    world.receipt("m1", Status.DELIVERED, 320)
    assert told(world, 321) == (
        "delivered since 09:05:20 UTC on channel sandbox (a receipt said so): this is final"
    )


def test_an_opt_out_is_told_as_the_reason(world: World) -> None:
    world.opt_outs.opt_out(ASHA, None, NOON, Learnt.SMS)
    world.accept("one", Class.TRANSACTION)
    world.journal.claim(world.lease(), 10, NOON)
    assert "rejected since 09:00:00 UTC on channel sandbox (its MSISDN has opted out)" in told(
        world
    )


def test_one_too_many_is_told_when_it_is_looked_at_again(world: World) -> None:
    lease = world.lease()
    for number in range(6):
        world.accept(f"same {number}")
        for row in world.journal.claim(lease, 10, after(number)):
            world.answered(lease, row, Submitted((f"m{number}",)), after(number))
    assert "within an hour): it is looked at again at 09:10:05" in told(world, 6)


def test_bulk_at_night_waits_for_the_morning(world: World) -> None:
    world.accept_bulk("ega", 1, ["notice"], lives=24)
    night = 10 * 3600
    bound(world, night)
    assert "bulk waits until 08:00 EAT" in told(world, night)
    hours = why(world.database, 1, NOON + timedelta(seconds=night), (0, 0))
    assert hours
    assert "its turn is next" in hours
