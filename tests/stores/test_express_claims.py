"""What cannot wait is claimed in one statement; whatever needs weighing is weighed all the same."""

import pytest

from tests.stores.world import ASHA, JUMA, NOON, SEAL, World, after
from ussdapp.core.inbound import Lease
from ussdapp.core.notification import Class, Lane
from ussdapp.core.opt_outs import Learnt
from ussdapp.ports import Fenced, Submitted
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows
from ussdapp.stores.express_claims import ExpressClaims, express_database
from ussdapp.stores.journal import PgJournal


def values(lease: Lease, window: int = 1, most: int = 10) -> dict[str, object]:
    first, last = Lane.EXPRESS.value
    named = {"channel": lease.channel, "bind": lease.bind, "epoch": lease.epoch}
    return {**named, "first": first, "last": last, "most": most, "now": NOON, "window": window}


def test_what_is_plain_is_journaled_and_opened_at_once(world: World) -> None:
    world.accept("one", Class.URGENT, msisdn=ASHA, text="Tahadhari")
    world.accept("two", Class.TRANSACTION, msisdn=JUMA, text="Bili")
    claims = ExpressClaims(world.database, SEAL)
    claimed = claims.claim(values(world.lease()), Lane.EXPRESS)
    assert claimed is not None
    assert [(row.text, row.msisdn, row.attempt) for row in claimed] == [
        ("Tahadhari", ASHA, 1),
        ("Bili", JUMA, 1),
    ]
    assert world.statuses() == ["submitting", "submitting"]
    assert claims.claim(values(world.lease(), 2), Lane.EXPRESS) == []


def test_one_that_must_be_weighed_is_left_to_the_claim_that_weighs(world: World) -> None:
    world.accept("one", Class.TRANSACTION, text="Bili")
    world.opt_outs.opt_out(ASHA, None, NOON, Learnt.SMS)
    assert ExpressClaims(world.database, SEAL).claim(values(world.lease()), Lane.EXPRESS) is None
    assert world.statuses() == ["queued"]
    assert world.journal.claim(world.lease(), 10, NOON, Lane.EXPRESS) == []
    assert world.statuses() == ["rejected"]


def test_a_holder_that_was_overtaken_claims_nothing(world: World) -> None:
    world.accept("one", Class.URGENT)
    lease = world.lease()
    with pytest.raises(Fenced):
        ExpressClaims(world.database, SEAL).claim(
            values(Lease(lease.channel, lease.bind, lease.epoch - 1)), Lane.EXPRESS
        )
    assert world.statuses() == ["queued"]


def test_on_a_connection_of_its_own_it_is_the_same_claim(world: World) -> None:
    database = express_database(world.url)
    journal = PgJournal(world.database, SEAL, express=database)
    for number in range(3):
        world.accept(f"n{number}", Class.URGENT, text=f"text {number}")
        (row,) = journal.claim(world.lease(), 10, NOON, Lane.EXPRESS)
        journal.record(world.lease(), [(row, Submitted((f"m{number}",)))], after(1))
    assert world.statuses() == ["submitted"] * 3
    assert balance(world.database).holds
    database.close()


def test_one_that_cannot_be_opened_is_rejected_and_its_neighbour_leaves(world: World) -> None:
    world.accept("spoilt", Class.URGENT, msisdn=ASHA)
    world.accept("whole", Class.URGENT, msisdn=JUMA)
    spoil = "UPDATE contents SET text_sealed = 'x' WHERE notification_id = 1"
    world.database.run(lambda link: link.execute(spoil) and None)
    (row,) = world.journal.claim(world.lease(), 10, NOON, Lane.EXPRESS)
    assert row.id == 2
    assert world.statuses() == ["rejected", "submitting"]
    query = "SELECT count(*) FROM windows"
    assert world.database.run(lambda link: rows(link, query)) == [(1,)]
