"""What the tests of receipts begin with: a known base, receipts, and what became of them."""

from tests.stores.world import ASHA, JUMA, NOON, World, after
from ussdapp.core.inbound import Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Submission, Submitted
from ussdapp.stores.database import rows

LONG = "Taarifa " * 30


def parts_delivered(world: World) -> list[int]:
    query = "SELECT parts_delivered FROM notifications ORDER BY id"
    return [row[0] for row in world.database.run(lambda link: rows(link, query))]


def doubted(world: World, effect: str = "one", at: float = 0, text: str = "Habari") -> Submission:
    """One notification in doubt since `at`."""
    world.accept(effect, text=text)
    lease = world.lease(after(at))
    (row,) = world.journal.claim(lease, 10, after(at))
    world.answered(lease, row, InDoubt("worker_lost"), after(at))
    return row


def settled(world: World, *, hexadecimal: bool = False) -> None:
    """Three notifications to JUMA whose receipts taught the account's base."""
    for number in range(0xB0000001, 0xB0000004):
        told = f"{number:x}"
        world.accept(f"settled {told}", msisdn=JUMA, text=told)
        lease = world.lease()
        (row,) = world.journal.claim(lease, 10, NOON)
        world.answered(lease, row, Submitted((told,)))
        world.receipt(str(number) if hexadecimal else told, Status.DELIVERED, msisdn=JUMA)


def came(
    message_id: str, status: Status = Status.DELIVERED, msisdn: Msisdn | None = ASHA, code: str = ""
) -> Receipt:
    return Receipt("sandbox", message_id, status, code, msisdn)


def outcomes(world: World) -> list[tuple[str, str, str]]:
    """What ended, after the three that settled the base."""
    query = """SELECT e.message_id, r.status, r.outcome
        FROM receipts r, unnest(r.message_ids) WITH ORDINALITY AS e (message_id, place)
        WHERE left(e.message_id, 4) <> 'b000' ORDER BY r.ended_at, r.ctid, e.place"""
    return [tuple(row) for row in world.database.run(lambda link: rows(link, query))]


def parked(world: World) -> int:
    query = "SELECT count(*) FROM parked_receipts"
    return int(world.database.run(lambda link: rows(link, query))[0][0])
