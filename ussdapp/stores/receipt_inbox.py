"""Knows the inbox of receipts: what comes by the dozen is kept as one row before it is settled.

A row lives for a fraction of a second. Who wrote it still holds its receipts and settles them from
memory; where that process died, or forgot them, whoever looks reads them from the row.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.stores.database import Connection, as_array, rows
from ussdapp.stores.seal import Seal, Unsealable

_SEALED: Final = "receipt_inbox.msisdns_sealed"
_ORPHANED: Final = timedelta(seconds=2)  # whoever holds a block settles it sooner
_HELD: Final = 50_000  # receipts: were PostgreSQL away for long, memory does not grow
_PUT: Final = """
    INSERT INTO receipt_inbox (id, account, received_at, told, msisdns_sealed)
    VALUES (%s, %s, %s, %s, %b) ON CONFLICT DO NOTHING
"""
_VALUE: Final = attrgetter("_value_")  # in a fifth of the time that an enum's `value` takes
_TAKE: Final = "DELETE FROM receipt_inbox WHERE id = ANY (%s::text::bigint[]) RETURNING id"
_ORPHANS: Final = """
    DELETE FROM receipt_inbox WHERE id = ANY (ARRAY(
        SELECT id FROM receipt_inbox WHERE received_at <= %s ORDER BY received_at LIMIT 1
        FOR UPDATE SKIP LOCKED))
    RETURNING id, account, received_at, told, msisdns_sealed
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Block:
    """Receipts of one account that came together; `number` is chosen by the process. `looked` is
    true where this process does not know whose they are."""

    number: int
    account: str
    received_at: datetime
    receipts: Sequence[Receipt]
    looked: bool = False


class Held:
    """The blocks this process put into the inbox and has not settled yet. Any thread may use it."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._count = 0
        self._lock = threading.Lock()

    @property
    def empty(self) -> bool:
        """Whether none waits."""
        return not self._blocks

    def add(self, *blocks: Block) -> None:
        """Forgets them where too much is held already: then they are read from the inbox."""
        with self._lock:
            if self._count < _HELD:
                self._blocks += blocks
                self._count += _size(blocks)

    def put_back(self, *blocks: Block) -> None:
        """They are the next that are due."""
        with self._lock:
            self._blocks[:0] = blocks
            self._count += _size(blocks)

    def due(self, before: datetime, most: int) -> list[Block]:
        """The first blocks of an account that came before and are alike, up to `most` receipts or
        one block; they are the caller's then."""
        found: list[Block] = []
        with self._lock:
            for block in self._blocks:
                if found and block.account != found[0].account:
                    continue
                most -= len(block.receipts)
                if block.received_at > before or (
                    found and (most < 0 or block.looked != found[0].looked)
                ):
                    break
                found.append(block)
            gone = {block.number for block in found}
            self._blocks = [block for block in self._blocks if block.number not in gone]
            self._count -= _size(found)
        return found


def _size(blocks: Sequence[Block]) -> int:
    return sum(len(block.receipts) for block in blocks)


def put(connection: Connection, seal: Seal, block: Block) -> None:
    """Again does no harm."""
    _, ids, statuses, codes, msisdns, dates = zip(*block.receipts, strict=True)
    told = json.dumps((ids, list(map(_VALUE, statuses)), codes, _spelt(dates)))
    digits = ",".join([one.digits if one else "" for one in msisdns])
    sealed = seal.close_text(digits, _SEALED)
    connection.execute(_PUT, (block.number, block.account, block.received_at, told, sealed))


def _spelt(dates: Sequence[datetime | None]) -> list[str]:
    """As ISO 8601 has them, "" for none; many that follow each other are one and the same."""
    spelt: list[str] = []
    last, iso = None, ""
    for one in dates:
        if one is not last:
            last, iso = one, one.isoformat() if one else ""
        spelt.append(iso)
    return spelt


def taken(connection: Connection, blocks: Sequence[Block]) -> list[Block]:
    """Takes blocks out of the inbox; returns those that nobody else took."""
    found = {row[0] for row in rows(connection, _TAKE, (as_array(one.number for one in blocks),))}
    return [block for block in blocks if block.number in found]


def orphan(connection: Connection, seal: Seal, now: datetime) -> list[Block]:
    """Takes the oldest block that nobody holds any more out of the inbox, if there is one."""
    return [_read(seal, row) for row in rows(connection, _ORPHANS, (now - _ORPHANED,))]


def _read(seal: Seal, row: Any) -> Block:
    number, account, received_at, told, sealed = row
    ids, statuses, codes, dates = json.loads(told)
    try:
        digits = seal.open_text(sealed, _SEALED).split(",")
    except Unsealable:
        # they are matched by their ids alone
        log.error("receipt.unreadable", account=account, count=len(ids))  # noqa: TRY400 (it has one cause)
        digits = [""] * len(ids)
    receipts = [
        Receipt(
            account,
            message_id,
            Status(status),
            code,
            Msisdn(spelt) if spelt else None,
            datetime.fromisoformat(date) if date else None,
        )
        for message_id, status, code, date, spelt in zip(
            ids, statuses, codes, dates, digits, strict=True
        )
    ]
    return Block(number, account, received_at, receipts, looked=True)
