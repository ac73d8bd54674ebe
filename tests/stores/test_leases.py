"""Leases: who is dead is buried, whoever else stands still."""

import time

import psycopg

from tests.stores.world import World, after
from ussdapp.core.inbound import Lease
from ussdapp.stores.leases import PgLeases


def submitting(world: World, bind: int) -> Lease:
    """One notification that is being submitted on that bind."""
    lease = world.leases.take("sandbox", bind, after(0))
    assert lease
    world.accept(f"on {bind}")
    assert len(world.journal.claim(lease, 1, after(0))) == 1
    return lease


def test_a_holder_frozen_within_a_transaction_does_not_keep_others_from_being_buried(
    world: World,
) -> None:
    frozen, dead = submitting(world, 1), submitting(world, 2)
    world.unheard(31)
    with psycopg.connect(world.url) as link:
        link.execute(
            "SELECT FROM leases WHERE channel = %s AND bind = %s FOR SHARE",
            (frozen.channel, frozen.bind),
        )
        assert world.leases.bury(after(31)) == 1
        assert world.statuses() == ["submitting", "in_doubt"]
        assert not world.leases.renew(dead, after(31))
    assert world.leases.bury(after(32)) == 1
    assert world.statuses() == ["in_doubt", "in_doubt"]


def test_a_session_that_was_ended_costs_no_renewal(world: World) -> None:
    lease = submitting(world, 1)
    with psycopg.connect(world.url, autocommit=True) as link:
        link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
    assert world.leases.renew(lease, after(5))
    other = PgLeases(world.database, world.url)
    assert other.take("sandbox", 1, after(6)) is None, "the lock is held again"
    other.release()


def test_who_was_taken_for_dead_and_wakes_leaves_the_bind_to_who_has_it_now(world: World) -> None:
    woken, successor = world.leases, PgLeases(world.database, world.url)
    lease = submitting(world, 1)
    world.unheard(31)
    assert woken.bury(after(31)) == 1
    taken = successor.take("sandbox", 1, after(32))
    assert taken, "a buried lease is nobody's, though the frozen one has its lock still"
    assert not woken.renew(lease, after(33))
    assert woken.take("sandbox", 1, after(33)) is None
    assert successor.renew(taken, after(34))
    successor.release()


def test_who_was_buried_and_wakes_before_anybody_took_its_place_takes_it_at_once(
    world: World,
) -> None:
    lease = submitting(world, 1)
    world.unheard(31)
    assert world.leases.bury(after(31)) == 1
    again = world.leases.take("sandbox", 1, after(32))
    assert again
    assert again.epoch > lease.epoch


def test_a_clock_that_jumps_here_neither_buries_nor_keeps_a_lease(world: World) -> None:
    lease = submitting(world, 1)
    other = PgLeases(world.database, world.url)
    assert other.bury(after(3600)) == 0
    assert other.take("sandbox", 1, after(3600)) is None
    assert world.leases.renew(lease, after(-7200))
    assert other.bury(after(3600)) == 0
    assert world.statuses() == ["submitting"]
    other.release()


def test_a_holder_whose_session_alone_was_ended_keeps_its_lease(world: World) -> None:
    lease = submitting(world, 1)
    world.leases.release()  # as an administrator ends it; the process lives
    other = PgLeases(world.database, world.url)
    assert other.take("sandbox", 1, after(1)) is None
    assert world.leases.renew(lease, after(2)), "its lock was not kept from it"
    assert other.take("sandbox", 1, after(3)) is None
    assert world.statuses() == ["submitting"]
    other.release()


def test_a_holder_that_ended_is_followed_at_once(world: World) -> None:
    submitting(world, 1)
    world.died()
    other = PgLeases(world.database, world.url)
    assert other.take("sandbox", 1, after(1))
    assert world.statuses() == ["in_doubt"]
    other.release()


def test_a_holder_elsewhere_that_does_not_come_back_is_followed_after_a_while(
    world: World,
) -> None:
    submitting(world, 1)
    world.leases.release()
    query = "UPDATE leases SET holder = 'another host 7 7'"
    world.database.run(lambda link: link.execute(query) and None)
    other = PgLeases(world.database, world.url)
    began = time.monotonic()
    while other.take("sandbox", 1, after(1)) is None:
        assert time.monotonic() - began < 20
        time.sleep(0.2)
    assert world.statuses() == ["in_doubt"]
    other.release()
