"""Receipts that come by the dozen are put by, and settled soon, by whoever lives."""

from datetime import datetime

import pytest

from tests.stores.receipts import came, outcomes, parked, parts_delivered, settled
from tests.stores.world import ASHA, JUMA, NOON, SEAL, World, after
from ussdapp.core.inbound import Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import Submission, Submitted, Unavailable
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.receipt_inbox import Block, Held
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.seal import Seal
from ussdapp.stores.told_ids import ToldIds

COUNT = 20
FAILED = (3, 11)


@pytest.fixture(params=[True, False], ids=["known here", "known to another process"])
def world(request: pytest.FixtureRequest, world: World) -> World:
    settled(world)
    if request.param:
        told = ToldIds()
        world.journal = PgJournal(world.database, SEAL, tell=told.learn)
        world.receipts = PgReceipts(world.database, SEAL, told)
    return world


def claimed(world: World) -> list[Submission]:
    world.accept_bulk("ega", 1, [f"text {number}" for number in range(COUNT)])
    return world.journal.claim(world.lease(), COUNT, NOON)


def answered(world: World, window: list[Submission]) -> None:
    told = [(row, Submitted((f"{0xC0000000 + row.id:X}",))) for row in window]
    world.journal.record(world.lease(), told, NOON)


def receipts_of(window: list[Submission]) -> list[Receipt]:
    return [
        came(
            f"{0xC0000000 + row.id:x}",
            Status.UNDELIVERED if place in FAILED else Status.DELIVERED,
            row.msisdn,
        )
        for place, row in enumerate(window)
    ]


def all_receipted(world: World) -> bool:
    states = world.statuses()[3:]
    failed = [place for place, state in enumerate(states) if state == "undelivered"]
    return states.count("delivered") == COUNT - len(FAILED) and failed == list(FAILED)


def inbox(world: World) -> int:
    query = "SELECT count(*) FROM receipt_inbox"
    return int(world.database.run(lambda link: rows(link, query))[0][0])


def test_they_are_committed_as_they_come_and_settled_soon_after(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    world.receipts.keep(receipts_of(window), after(5))
    assert (inbox(world), world.statuses()[3:]) == (1, ["submitted"] * COUNT)
    world.receipts.apply(after(5.1))
    assert inbox(world) == 1
    world.receipts.apply(after(5.3))
    assert all_receipted(world)
    assert parts_delivered(world)[3:] == [int(place not in FAILED) for place in range(COUNT)]
    assert (inbox(world), parked(world)) == (0, 0)
    assert [outcome for _, _, outcome in outcomes(world)] == ["applied"] * COUNT
    assert balance(world.database).holds


def test_what_a_dead_process_put_by_is_settled_by_another(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    world.receipts.keep(receipts_of(window), after(5))
    another = PgReceipts(world.database, SEAL)
    another.apply(after(6.9))
    assert inbox(world) == 1
    another.apply(after(7))
    assert all_receipted(world)
    assert (inbox(world), parked(world)) == (0, 0)


def test_a_block_is_settled_once(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    world.receipts.keep(receipts_of(window), after(5))
    PgReceipts(world.database, SEAL).apply(after(7))
    world.receipts.apply(after(7))
    assert len(outcomes(world)) == COUNT


def test_those_that_outrun_their_answers_wait_for_them_unparked(world: World) -> None:
    window = claimed(world)
    world.receipts.keep(receipts_of(window), after(1))
    world.receipts.apply(after(1.1))
    answered(world, window)
    world.receipts.apply(after(1.3))
    assert all_receipted(world)
    assert len(outcomes(world)) == COUNT


def test_of_contradictory_ones_the_first_decides_also_among_many(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    receipts = receipts_of(window)
    expired = [one._replace(status=Status.EXPIRED) for one in receipts]
    # the first is in the minority; what most of them say comes after it
    world.receipts.keep([expired[0], *receipts, *receipts[:2], *expired[1:]], after(5))
    world.receipts.keep(receipts, after(5.1))
    world.receipts.apply(after(5.4))
    states = world.statuses()[3:]
    assert states[0] == "expired"
    assert states[1:].count("delivered") == COUNT - 1 - len(FAILED)
    ended = [outcome for _, _, outcome in outcomes(world)]
    # the first one's receipt, its repeat and its copy; all that expired but the first
    assert ended.count("conflict") == 3 + COUNT - 1
    assert ended.count("applied") == COUNT
    assert ended.count("nothing_new") == 1 + COUNT - 1


def test_those_of_unknown_ids_or_to_another_msisdn_are_parked(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    receipts = receipts_of(window)
    receipts[0] = receipts[0]._replace(message_id="unknown")
    receipts[1] = receipts[1]._replace(msisdn=JUMA)
    spelt = receipts[2].message_id.upper()
    receipts[2] = receipts[2]._replace(message_id=spelt, msisdn=None)
    world.receipts.keep(receipts, after(5))
    world.receipts.apply(after(5.3))
    states = world.statuses()[3:]
    # without an MSISDN it is matched by its id alone, to the letter
    assert (states[:2], states[2]) == (["submitted"] * 2, "delivered")
    assert parked(world) == 2
    assert inbox(world) == 0


def test_what_is_sealed_by_another_key_is_matched_by_ids_alone(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    other = Seal(bytes(32), bytes(range(32, 64)))
    spelt = [one._replace(message_id=one.message_id.upper()) for one in receipts_of(window)]
    PgReceipts(world.database, other).keep(spelt, after(5))
    world.receipts.apply(after(7))
    assert all_receipted(world)


def test_a_few_wait_behind_many_that_came_before_them(world: World) -> None:
    window = claimed(world)
    answered(world, window)
    receipts = receipts_of(window)
    world.receipts.keep(receipts, after(5))
    world.receipts.keep([receipts[0]._replace(status=Status.EXPIRED)], after(5.1))
    world.receipts.apply(after(5.4))
    assert all_receipted(world)
    assert [outcome for _, _, outcome in outcomes(world)].count("conflict") == 1


def test_before_the_base_is_known_all_are_weighed(world: World) -> None:
    world.database.run(lambda link: link.execute("DELETE FROM id_bases") and None)
    window = claimed(world)
    answered(world, window)
    world.receipts.keep(receipts_of(window), after(5))
    world.receipts.apply(after(5.3))
    assert all_receipted(world)


def test_what_cannot_be_settled_now_is_settled_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = claimed(world)
    answered(world, window)
    world.receipts.keep(receipts_of(window), after(5))

    def refuse(work: object) -> None:
        raise Unavailable("PostgreSQL: away")

    with monkeypatch.context() as away:
        away.setattr(world.database, "run", refuse)
        with pytest.raises(Unavailable):
            world.receipts.apply(after(5.3))
    world.receipts.apply(after(5.4))
    assert all_receipted(world)


def block(number: int, account: str = "sandbox", at: datetime = NOON, count: int = 1000) -> Block:
    one = Receipt(account, "m", Status.DELIVERED, "", ASHA)
    return Block(number, account, at, [one] * count)


def test_blocks_of_one_account_are_due_together_in_the_order_they_came() -> None:
    held = Held()
    held.add(block(1), block(2), block(3, "other"), block(4), block(5, at=after(9)))
    due = [[one.number for one in held.due(NOON, most)] for most in (2000, 4000, 4000, 4000)]
    assert due == [[1, 2], [3], [4], []]
    held.add(block(7, "other"))
    held.put_back(block(8), block(9, "other"), block(10))
    assert [one.number for one in held.due(NOON, 4000)] == [8, 10]
    assert [one.number for one in held.due(NOON, 4000)] == [9, 7]
    held.put_back(block(6))
    assert [one.number for one in held.due(after(9), 4000)] == [6, 5]


def test_a_process_holds_so_much_and_no_more() -> None:
    held = Held()
    for number in range(1000):
        held.add(block(number))
    assert sum(len(held.due(NOON, 10)) for _ in range(1000)) == 50


def test_the_ids_told_of_late_are_known_and_those_before_forgotten() -> None:
    told = ToldIds()
    for turn in range(4):
        told.learn(
            "sandbox",
            [
                (Submission(number, 1, ASHA, "", "15200", 1), Submitted((f"0A{number}",)))
                for number in range(1 + turn * 8_000, 1 + (turn + 1) * 8_000)
            ],
        )
    known = told.whose("sandbox", [f"a{turn * 8_000 + 7}" for turn in range(4)])
    assert known[:2] == [None, None]
    assert known[2:] == [(16_007, ASHA.digits), (24_007, ASHA.digits)]
    assert told.whose("other", ["a1"]) == [None]


def test_msisdns_are_proven_together_as_each_is() -> None:
    digits = ["255754000001", "255613000002"]
    assert Msisdn.all(digits) == [Msisdn(one) for one in digits]
    assert Msisdn.all([]) == []
    for wrong in ([*digits, "25575400000"], [" ".join(digits)], ["2557540000012"]):
        with pytest.raises(ValueError, match="an MSISDN is 255"):
            Msisdn.all(wrong)
