"""What waits where it is not delivered goes by another channel, and evidence beats prefixes."""

import pytest

from tests.stores.world import ASHA, NOON, SEAL, World, after, other_bound
from ussdapp.core.inbound import Lease
from ussdapp.ports import Deferred, InDoubt, Rejected, Submitted
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.routes import PgRoutes


@pytest.fixture
def routes(world: World) -> PgRoutes:
    return PgRoutes(world.database, SEAL, ["sandbox", "other"], {"sandbox": "other"})


def channels(world: World) -> list[str]:
    query = "SELECT channel FROM notifications ORDER BY id"
    return [row[0] for row in world.database.run(lambda link: rows(link, query))]


def bound(world: World, at: float, share: float = 1.0) -> Lease:
    lease = world.lease(after(at))
    assert world.leases.renew(lease, after(at), share=share)
    return lease


def test_what_waits_on_a_channel_without_a_bind_goes_by_its_fallback(
    world: World, routes: PgRoutes
) -> None:
    bound(world, 0)
    world.accept("one")
    assert routes.reroute(after(31)) == 0, "the fallback is down as well"
    with other_bound(world, 20) as lease:
        assert routes.reroute(after(29)) == 0
        assert routes.reroute(after(31)) == 1
        (row,) = world.journal.claim(lease, 10, after(31))
        world.journal.record(lease, [(row, Submitted(("m1",)))], after(32))
    assert (channels(world), world.statuses()) == (["other"], ["submitted"])
    assert balance(world.database).holds


def test_a_channel_that_fares_badly_keeps_its_share_and_the_rest_goes_elsewhere(
    world: World, routes: PgRoutes
) -> None:
    bound(world, 0, share=0.5)
    for number in range(100):
        world.accept(f"n{number}", text=f"text {number}")
    with other_bound(world, 1):
        assert routes.reroute(after(2)) == 50
        assert routes.reroute(after(3)) == 0
    bound(world, 4)
    assert channels(world).count("sandbox") == 50


def test_what_is_in_doubt_waits_for_its_receipt_where_it_was_submitted(
    world: World, routes: PgRoutes
) -> None:
    world.accept("one")
    lease = bound(world, 0)
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("no_answer"))
    world.journal.settle(after(300))
    with other_bound(world, 390):
        assert routes.reroute(after(400)) == 0


def test_a_number_refused_for_its_network_is_tried_once_by_the_fallback(world: World) -> None:
    journal = PgJournal(world.database, SEAL, {"sandbox": "other"})
    world.accept("one")
    lease = world.lease()
    (row,) = journal.claim(lease, 10, NOON)
    journal.record(lease, [(row, Rejected("ESME_RINVDSTADR"))], NOON)
    assert (channels(world), world.statuses()) == (["other"], ["queued"])
    other = PgLeases(world.database, world.url)
    elsewhere = other.take("other", 1, after(1))
    assert elsewhere
    (row,) = journal.claim(elsewhere, 10, after(1))
    journal.record(elsewhere, [(row, Rejected("ESME_RINVDSTADR"))], after(1))
    assert world.statuses() == ["rejected"]
    assert balance(world.database).holds
    other.release()


def test_patience_on_one_channel_does_not_forbid_another(world: World, routes: PgRoutes) -> None:
    world.accept("one")
    lease = bound(world, 0)
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, Deferred("unbound", 5.0))
    with other_bound(world, 50):
        assert routes.reroute(after(60)) == 1
    assert balance(world.database).holds


def test_the_network_an_inbound_named_beats_the_ported_table_and_both_the_prefix(
    world: World, routes: PgRoutes
) -> None:
    routes.ported([(ASHA, "other")], NOON)
    world.accept("one")
    routes.inbound(ASHA, "sandbox", NOON)
    world.accept("two")
    routes.ported([(ASHA, "other")], after(1))
    world.accept("three")
    assert channels(world) == ["other", "sandbox", "sandbox"]


def test_a_network_whose_channel_is_gone_is_forgotten(world: World, routes: PgRoutes) -> None:
    routes.inbound(ASHA, "gone", NOON)
    routes.reroute(NOON)
    world.accept("one")
    assert channels(world) == ["sandbox"]
