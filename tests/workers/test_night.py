"""What is urgent leaves at night, and that is logged."""

from datetime import timedelta

from structlog.testing import capture_logs

from tests.fakes.kept import FakeChannel
from tests.stores.world import JUMA, NOON, World
from ussdapp.core.notification import Class
from ussdapp.ports import Deferred, Outcome, Submitted, Unavailable
from ussdapp.stores.urgents import count_urgent
from ussdapp.usecases.deliver_window import DeliverWindow
from workers.night import Night

NIGHT = NOON + timedelta(hours=10)  # 22:00 EAT
HOURS = (8, 20)


def logged(world: World, night: Night, outcome: Outcome, at=NIGHT) -> list[tuple]:
    """What is logged of one urgent notification and one receipt that are delivered."""
    world.accept("urgent", Class.URGENT, at=at)
    world.accept("receipt", Class.RECEIPT, JUMA, at=at)
    deliver = DeliverWindow(world.journal, lambda: None, lambda: 0.0, recorded=night.recorded)
    with capture_logs() as logs:
        assert deliver(FakeChannel(outcome), world.lease(at), lambda: at) == 2
    told = [one for one in logs if one["event"].startswith("urgent.")]
    return [(one["event"], one["rows"], set(one)) for one in told]


def counting(world: World) -> Night:
    return Night(lambda ids: count_urgent(world.database, ids), HOURS)


def test_what_is_urgent_and_leaves_at_night_is_counted_in_the_log(world: World) -> None:
    ((event, count, fields),) = logged(world, counting(world), Submitted(("m",)))
    assert (event, count) == ("urgent.outside_bulk_hours", 1)
    assert fields == {"event", "rows", "channel", "log_level"}
    assert world.statuses() == ["submitted", "submitted"]


def test_what_did_not_leave_is_not_logged(world: World) -> None:
    assert logged(world, counting(world), Deferred("ESME_RTHROTTLED", 2.0)) == []


def test_by_day_nothing_is_logged(world: World) -> None:
    assert logged(world, counting(world), Submitted(("m",)), NOON) == []


def test_what_cannot_be_counted_stays_recorded(world: World) -> None:
    def down(ids: object) -> int:
        raise Unavailable

    told = logged(world, Night(down, HOURS), Submitted(("m",)))
    assert [(event, count) for event, count, _ in told] == [("urgent.uncounted", 2)]
    assert world.statuses() == ["submitted", "submitted"]
