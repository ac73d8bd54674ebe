"""Knows how receipts are settled in one transaction: plain ones end, the rest is parked."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ussdapp.core.inbound import Receipt
from ussdapp.core.message_ids import Learnt, sought, sought_in
from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.copy_text import array_of, copied, copy_lines
from ussdapp.stores.database import Connection, as_array, rows
from ussdapp.stores.id_bases import read_bases
from ussdapp.stores.parked_receipts import MOST
from ussdapp.stores.plain_receipts import NOBODY, Came, End, ends

EARLY: Final = timedelta(seconds=0.25)  # until the answer that a receipt outran is recorded
_ENDED: Final = """
    INSERT INTO receipts (account, received_at, ended_at, status, outcome, message_ids, codes,
        notification_ids)
    VALUES (%s, %s, %s, %s, %s, %s::text::text[], %s::text::text[], %s::text::bigint[])
"""
_PARKED: Final = """
    COPY parked_receipts (account, message_id, message_keys, status, code, msisdn_index,
        submitted_on, received_at, look_at) FROM STDIN
"""
_ACCOUNTS: Final = "SELECT DISTINCT account FROM parked_receipts WHERE look_at <= %s"
_DUE: Final = """
    SELECT id, message_keys[array_position('{same,hex_to_decimal,decimal_to_hex}', %s)], status,
        msisdn_index, message_id, code, received_at
    FROM parked_receipts
    WHERE look_at <= %s AND account = %s AND msisdn_index IS NOT NULL
    ORDER BY look_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_SPENT: Final = "DELETE FROM parked_receipts WHERE id = ANY (%s::text::bigint[])"

_Indexed = Callable[[Msisdn], bytes]
_Arrived = tuple[datetime, Receipt]
Ended = tuple[datetime, str, str, str, str, int]  # received, status, outcome, id, code, whose


def settle(
    connection: Connection,
    index: _Indexed,
    account: str,
    arrived: Sequence[_Arrived],
    now: datetime,
) -> tuple[Learnt, list[End]]:
    """Ends or parks receipts of one account; in the order they came. What is known of the
    account's base, and what each came to."""
    learnt = read_bases(connection, [account]).get(account, Learnt())
    if not learnt.locked:
        _park(connection, index, account, arrived, now)
        return learnt, []
    keys = sought_in(learnt.base, [one.message_id for _, one in arrived])
    statuses = [one.status.value for _, one in arrived]
    indexes = [index(one.msisdn) if one.msisdn else NOBODY for _, one in arrived]
    found = ends(connection, account, Came(keys, statuses, indexes), now)
    ended: list[Ended] = []
    waiting: list[_Arrived] = []
    early: list[_Arrived] = []
    for came, key, status, end in zip(arrived, keys, statuses, found, strict=True):
        if end and end[1]:
            ended.append((came[0], status, end[1], came[1].message_id, came[1].code, end[0]))
        else:
            (waiting if end or not key else early).append(came)
    record_ended(connection, account, ended, now)
    _park(connection, index, account, waiting, now)
    _park(connection, index, account, early, now + EARLY)
    return learnt, found


def locked(connection: Connection, now: datetime) -> dict[str, Learnt]:
    """The accounts with parked receipts that are due, of which the base is known."""
    accounts = [row[0] for row in rows(connection, _ACCOUNTS, (now,))]
    learnt = read_bases(connection, accounts)
    return {account: one for account, one in learnt.items() if one.locked}


def settle_parked(connection: Connection, account: str, learnt: Learnt, now: datetime) -> list[End]:
    """Ends those of an account's parked receipts that would end if they came now."""
    values = (learnt.base.value, now, account, MOST)
    due: list[tuple[Any, ...]] = connection.cursor(binary=True).execute(_DUE, values).fetchall()
    if not due:
        return []
    numbers, keys, statuses, indexes, message_ids, codes, times = zip(*due, strict=True)
    found = ends(connection, account, Came(keys, statuses, indexes), now)
    spent: list[int] = []
    ended: list[Ended] = []
    told: list[End] = []
    for place, end in enumerate(found):
        if end and end[1]:
            told.append(end)
            spent.append(numbers[place])
            ended.append(
                (times[place], statuses[place], end[1], message_ids[place], codes[place], end[0])
            )
    connection.execute(_SPENT, (as_array(spent),))
    record_ended(connection, account, ended, now)
    return told


def record_ended(
    connection: Connection, account: str, ended: Iterable[Ended], now: datetime
) -> None:
    """Those that came together, and came to the same, are one row."""
    blocks: dict[tuple[datetime, str, str], list[Ended]] = {}
    for one in ended:
        blocks.setdefault(one[:3], []).append(one)
    values = [
        (account, received_at, now, status, outcome, array_of([one[3] for one in block]),
         array_of([one[4] for one in block]), as_array(one[5] for one in block))
        for (received_at, status, outcome), block in blocks.items()
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(_ENDED, values)


def _park(
    connection: Connection,
    index: _Indexed,
    account: str,
    arrived: Iterable[_Arrived],
    look_at: datetime,
) -> None:
    head, tail = f"{copied(account)}\t", f"\t{look_at.isoformat()}\n"
    lines = [f"{head}{_fields(one, index)}\t{at.isoformat()}{tail}" for at, one in arrived]
    copy_lines(connection, _PARKED, lines)


def _fields(receipt: Receipt, index: _Indexed) -> str:
    on = receipt.submitted_on
    fields = (
        copied(receipt.message_id),
        copied(array_of(sought(receipt.message_id))),
        receipt.status.value,
        copied(receipt.code),
        f"\\\\x{index(receipt.msisdn).hex()}" if receipt.msisdn else "\\N",
        on.isoformat() if on else "\\N",
    )
    return "\t".join(fields)
