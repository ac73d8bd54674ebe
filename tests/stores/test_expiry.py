"""What nobody claims still ends when it is too old."""

from tests.stores.world import NOON, World, after
from ussdapp.ports import InDoubt
from ussdapp.stores.balance import balance
from ussdapp.stores.expiry import PgExpiry


def test_what_is_too_old_on_a_channel_nobody_serves_expires(world: World) -> None:
    for number in range(30):
        world.accept(f"n{number}", text=f"text {number}")
    world.accept("later", text="later", at=after(3000))
    expiry = PgExpiry(world.database)
    assert expiry.expire(after(3500)) == 0
    ended = [expiry.expire(after(3700)) for _ in range(3)]
    assert sum(ended) == 30
    assert world.statuses() == ["expired"] * 30 + ["queued"]
    assert balance(world.database).holds


def test_of_a_block_only_what_is_too_old_leaves_it(world: World) -> None:
    world.accept_bulk("ega", 1, ["one", "two", "three"])
    young = "UPDATE notifications SET expires_at = expires_at + interval '1 day' WHERE id = 2"
    world.database.run(lambda link: link.execute(young) and None)
    assert PgExpiry(world.database).expire(after(3700)) == 2
    assert world.statuses() == ["expired", "queued", "expired"]
    assert balance(world.database).holds


def test_a_second_copy_of_what_is_in_doubt_is_not_declared_expired(world: World) -> None:
    world.accept("one")
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.answered(lease, row, InDoubt("no_answer"))
    world.journal.settle(after(300))
    assert PgExpiry(world.database).expire(after(9000)) == 0
    assert world.statuses() == ["queued"]
