"""Knows how receipts are kept: what is plain moves its notification at once, the rest is parked."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.core.message_ids import Learnt, sought, sought_in
from ussdapp.stores.copy_text import array_of, copied, copy_lines
from ussdapp.stores.database import Connection, Database, as_array, rows
from ussdapp.stores.id_bases import agreed, read_bases
from ussdapp.stores.parked_receipts import MOST, ParkedReceipts
from ussdapp.stores.plain_receipts import NOBODY, Came, End, ends
from ussdapp.stores.seal import Seal

_ROUNDS: Final = 20  # a call of `apply`, where many are due
_EARLY: Final = timedelta(seconds=0.25)  # until the answer that a receipt outran is recorded
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

log = structlog.get_logger()
_Ended = tuple[datetime, str, str, str, str, int]  # received, status, outcome, id, code, whose


class PgReceipts:
    """Keeps ports.Receipts."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._index = seal.index
        self._parked = ParkedReceipts(database)

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Commits them, and with them what the plain ones move."""
        index, run = self._index, self._database.run
        for account, batch in _batches(receipts):
            indexes = [index(one.msisdn) if one.msisdn else NOBODY for one in batch]
            kept = run(lambda link, a=account, b=batch, i=indexes: _keep(link, a, b, i, at))  # type: ignore[misc]
            self._tell(account, *kept)

    def apply(self, now: datetime) -> int:
        """Moves notifications forward by what is parked and due to be looked at."""
        self._parked.prepare(now)
        applied = 0
        for _ in range(_ROUNDS):
            plain = self._apply_plain(now)
            found = self._parked.look(now)
            applied += plain + found.applied
            if not found.again and plain < MOST:
                break
        return applied

    def _apply_plain(self, now: datetime) -> int:
        run = self._database.run
        applied = 0
        for account, learnt in run(lambda link: _locked(link, now)).items():
            found = run(lambda link, a=account, by=learnt: _plain(link, a, by, now))  # type: ignore[misc]
            self._tell(account, learnt, found)
            applied += len(found)
        return applied

    def _tell(self, account: str, learnt: Learnt, found: Iterable[End]) -> None:
        """Apart from what moves notifications, so that nobody waits in a circle."""
        outcomes = [end[1] for end in found if end]
        if conflicts := outcomes.count("conflict"):
            log.warning("receipt.conflict", account=account, count=conflicts)
        if learnt.contrary and "applied" in outcomes:
            self._database.run(lambda link: agreed(link, account, learnt.base))


def _batches(receipts: Sequence[Receipt]) -> Iterator[tuple[str, list[Receipt]]]:
    by_account: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_account.setdefault(receipt.account, []).append(receipt)
    for account, batch in by_account.items():
        for start in range(0, len(batch), MOST):
            yield account, batch[start : start + MOST]


def _keep(
    connection: Connection,
    account: str,
    batch: Sequence[Receipt],
    indexes: list[bytes],
    at: datetime,
) -> tuple[Learnt, list[End]]:
    learnt = read_bases(connection, [account]).get(account, Learnt())
    if not learnt.locked:
        _park(connection, account, zip(batch, indexes, strict=True), at, at)
        return learnt, []
    keys = sought_in(learnt.base, [one.message_id for one in batch])
    statuses = [one.status.value for one in batch]
    found = ends(connection, account, Came(keys, statuses, indexes), at)
    ended: list[_Ended] = []
    waiting: list[tuple[Receipt, bytes]] = []
    early: list[tuple[Receipt, bytes]] = []
    for one, index, key, status, end in zip(batch, indexes, keys, statuses, found, strict=True):
        if end and end[1]:
            ended.append((at, status, end[1], one.message_id, one.code, end[0]))
        else:
            (waiting if end or not key else early).append((one, index))
    _end(connection, account, ended, at)
    _park(connection, account, waiting, at, at)
    _park(connection, account, early, at, at + _EARLY)
    return learnt, found


def _end(connection: Connection, account: str, ended: Iterable[_Ended], now: datetime) -> None:
    """Those that came together, and came to the same, are one row."""
    blocks: dict[tuple[datetime, str, str], list[_Ended]] = {}
    for one in ended:
        blocks.setdefault(one[:3], []).append(one)
    for (received_at, status, outcome), block in blocks.items():
        message_ids, codes = (
            array_of([one[3] for one in block]),
            array_of([one[4] for one in block]),
        )
        connection.execute(
            _ENDED,
            (account, received_at, now, status, outcome, message_ids, codes,
             as_array(one[5] for one in block)),
        )  # fmt: skip


def _park(
    connection: Connection,
    account: str,
    receipts: Iterable[tuple[Receipt, bytes]],
    at: datetime,
    look_at: datetime,
) -> None:
    head, tail = f"{copied(account)}\t", f"\t{at.isoformat()}\t{look_at.isoformat()}\n"
    lines = [f"{head}{_fields(one, index)}{tail}" for one, index in receipts]
    copy_lines(connection, _PARKED, lines)


def _fields(receipt: Receipt, index: bytes) -> str:
    on = receipt.submitted_on
    fields = (
        copied(receipt.message_id),
        copied(array_of(sought(receipt.message_id))),
        receipt.status.value,
        copied(receipt.code),
        f"\\\\x{index.hex()}" if receipt.msisdn else "\\N",
        on.isoformat() if on else "\\N",
    )
    return "\t".join(fields)


def _locked(connection: Connection, now: datetime) -> dict[str, Learnt]:
    """The accounts with receipts that are due, of which the base is known."""
    accounts = [row[0] for row in rows(connection, _ACCOUNTS, (now,))]
    learnt = read_bases(connection, accounts)
    return {account: one for account, one in learnt.items() if one.locked}


def _plain(connection: Connection, account: str, learnt: Learnt, now: datetime) -> list[End]:
    """Ends those of an account's parked receipts that would end if they came now."""
    values = (learnt.base.value, now, account, MOST)
    due: list[tuple[Any, ...]] = connection.cursor(binary=True).execute(_DUE, values).fetchall()
    if not due:
        return []
    numbers, keys, statuses, indexes, message_ids, codes, times = zip(*due, strict=True)
    found = ends(connection, account, Came(keys, statuses, indexes), now)
    spent: list[int] = []
    ended: list[_Ended] = []
    told: list[End] = []
    for place, end in enumerate(found):
        if end and end[1]:
            told.append(end)
            spent.append(numbers[place])
            ended.append(
                (times[place], statuses[place], end[1], message_ids[place], codes[place], end[0])
            )
    connection.execute(_SPENT, (as_array(spent),))
    _end(connection, account, ended, now)
    return told
