"""Knows the receipts whose notifications this process knows: no submit is looked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from ussdapp.core.inbound import Receipt
from ussdapp.core.message_ids import Learnt, sought_in
from ussdapp.core.status import Status
from ussdapp.stores.database import Connection
from ussdapp.stores.id_bases import read_bases
from ussdapp.stores.plain_receipts import ENDING, End, move_known
from ussdapp.stores.receipt_inbox import Block
from ussdapp.stores.settled_receipts import Ended, record_ended
from ussdapp.stores.told_ids import ToldIds


class Known(NamedTuple):
    """What is known of the account's base, what ended, and what is left of each block."""

    learnt: Learnt
    found: list[End]
    left: list[list[Receipt]]


def settle_known(
    connection: Connection, told: ToldIds, blocks: Sequence[Block], now: datetime
) -> Known:
    """Ends, of one account's blocks, what most of them say of notifications known here. One
    statement moves them, so that nobody waits in a circle; where nothing ended, none was."""
    account = blocks[0].account
    learnt = read_bases(connection, [account]).get(account, Learnt())
    came = [one for block in blocks for one in block.receipts]
    first = _first(told, learnt, account, came) if learnt.locked else {}
    said = [came[place].status for place in first.values()]
    count, status = max(((said.count(one), one) for one in ENDING), key=itemgetter(0))
    if not count:
        return Known(learnt, [], [])
    ids = [number for number, place in first.items() if came[place].status is status]
    moved = move_known(connection, ids, status.value, now)
    whose = {first[number]: number for number in moved}
    ended, left = _divided(blocks, whose, status)
    record_ended(connection, account, ended, now)
    return Known(learnt, [(number, "applied") for number in moved], left)


def _first(told: ToldIds, learnt: Learnt, account: str, came: Sequence[Receipt]) -> dict[int, int]:
    """The place of the first receipt of each notification that is known here."""
    keys = sought_in(learnt.base, [one.message_id for one in came])
    first: dict[int, int] = {}
    for place, (whose, one) in enumerate(zip(told.whose(account, keys), came, strict=True)):
        if whose and one.msisdn and whose[1] == one.msisdn.digits:
            first.setdefault(whose[0], place)
    return first


def _divided(
    blocks: Sequence[Block], whose: Mapping[int, int], status: Status
) -> tuple[list[Ended], list[list[Receipt]]]:
    """What ended, by its place, and what is left of each block."""
    ended: list[Ended] = []
    left: list[list[Receipt]] = []
    start, name = 0, status.value
    for block in blocks:
        rest: list[Receipt] = []
        for place, one in enumerate(block.receipts, start):
            if number := whose.get(place):
                ended.append((block.received_at, name, "applied", one.message_id, one.code, number))
            else:
                rest.append(one)
        left.append(rest)
        start += len(block.receipts)
    return ended, left
