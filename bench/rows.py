"""Rows for the delivery figures: loaded into PostgreSQL beforehand, and what became of them."""

import secrets
import threading
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, LiteralString

import psycopg

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import RANK, Class
from ussdapp.stores.packs import PACKED, packed
from ussdapp.stores.queue import Flow, enqueue
from ussdapp.stores.seal import Seal

FIRST: Final = 255_754_000_000  # of the MSISDNs, one a row
WORDS: Final = "Ndugu mteja, bili yako ya maji ya Novemba ni TZS {number}. Lipa kabla ya tarehe 30."
_CHUNK: Final = 20_000  # rows a COPY
_PACK: Final = 1000
_CLEAR: Final = """TRUNCATE receipts, receipt_inbox, parked_receipts, submits, attempts, queue,
    windows, doubts, in_part, contents, packs, notifications, acceptances, id_bases"""
_NOTIFICATIONS: Final = """COPY notifications (id, institution_id, effect, class, rank, channel,
    msisdn_index, text_index, sender_id, encoding, parts, automatic, status, status_at, accepted_at,
    due_at, expires_at, pack_id) FROM STDIN"""
_IDS: Final = """SELECT setval(name, nextval(name) + %s) - %s
    FROM pg_get_serial_sequence('notifications', 'id') AS name"""
_OPEN: Final = "SELECT EXISTS (SELECT FROM queue) OR EXISTS (SELECT FROM windows)"
_RANK: Final = RANK[Class.BULK]
_PROCESSES: Final = 2


@dataclass(frozen=True)
class Database:
    """Where the rows are kept, and the two keys they are sealed with."""

    url: str
    keys: tuple[bytes, bytes]


def clear(database: Database) -> None:
    """Forgets every notification and what came of it."""
    with psycopg.connect(database.url) as connection:
        connection.execute(_CLEAR)


def read(home: Path) -> Database:
    """That of the gateway whose papers lie there."""
    settings = tomllib.loads((home / "settings.toml").read_text())
    keys = tuple(bytes.fromhex(settings[name]) for name in ("seal_key", "index_key"))
    return Database(settings["database_url"], (keys[0], keys[1]))


def trickle(database: Database, channel: str, ids: range, stopping: threading.Event) -> None:
    """Queues those a hundred at a time, a thousand a second, until it is told to stop."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for at in range(ids.start, ids.stop, 100):
            if stopping.wait(0.1):
                return
            with connection.transaction():
                flow = Flow(channel, _RANK, bulk_id=1)
                enqueue(connection, flow, range(at, at + 100), datetime.now(UTC))


def load(database: Database, channel: str, count: int, *, queued: bool = True) -> range:
    """That many due notifications of class bulk, each of its own MSISDN and text, as one bulk of
    one institution; written out and analysed, so that what is measured begins with rows that lie
    still. Returns their ids."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        institution = _number(connection, "SELECT min(id) FROM institutions")
        first = _number(connection, _IDS, count, count)
        common = _Common(channel, institution, first, datetime.now(UTC), secrets.token_hex(8))
        chunks = [range(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
        # spawned: the parent may have threads
        with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
            list(pool.map(partial(_load_some, database, common), chunks))
        if queued:
            with connection.transaction():
                flow = Flow(channel, _RANK, institution, bulk_id=1)
                enqueue(connection, flow, range(first, first + count), common.now)
        connection.execute("VACUUM ANALYZE notifications, packs, queue")
        connection.execute("CHECKPOINT")
    return range(first, first + count)


def recorded(database: Database) -> bool:
    """Whether nothing is queued and every answer is recorded."""
    with psycopg.connect(database.url) as connection:
        row = connection.execute(_OPEN).fetchone()
    return row is not None and not row[0]


def ended(database: Database) -> int:
    """How many notifications of bulk an operator took."""
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM notifications WHERE class = 'bulk' AND attempts > 0"
        ).fetchone()
    return int(row[0]) if row else 0


def states(database: Database) -> dict[str, int]:
    """How many notifications are in which state."""
    with psycopg.connect(database.url) as connection:
        query = "SELECT status, count(*) FROM notifications GROUP BY status"
        return dict(connection.execute(query).fetchall())


@dataclass(frozen=True)
class _Common:
    """What all rows of one load share; `first` is the id of the first."""

    channel: str
    institution: int
    first: int
    now: datetime
    run: str

    def pack_of(self, number: int) -> int:
        """The id of the pack in which that row is."""
        return self.first + number // _PACK


def _load_some(database: Database, common: _Common, numbers: range) -> None:
    seal = Seal(*database.keys)
    with psycopg.connect(database.url) as connection:
        with connection.cursor() as cursor, cursor.copy(_NOTIFICATIONS) as copy:
            copy.write("".join(_notification(seal, common, number) for number in numbers))
        for start in range(numbers.start, numbers.stop, _PACK):
            some = range(start, min(start + _PACK, numbers.stop))
            connection.execute(PACKED, (common.pack_of(start), _pack(seal, common, some)))


def _notification(seal: Seal, common: _Common, number: int) -> str:
    index = seal.index(Msisdn(str(FIRST + number))).hex()
    words = seal.content_index(WORDS.format(number=number)).hex()
    at, until = common.now, common.now + timedelta(hours=24)
    return (
        f"{common.first + number}\t{common.institution}\t{common.run}{number:016x}\tbulk\t{_RANK}\t"
        f"{common.channel}\t\\\\x{index}\t\\\\x{words}\t15200\tgsm7\t1\tf\tqueued\t"
        f"{at}\t{at}\t{at}\t{until}\t{common.pack_of(number)}\n"
    )


def _pack(seal: Seal, common: _Common, numbers: range) -> bytes:
    return packed(
        seal,
        [common.first + number for number in numbers],
        [str(FIRST + number) for number in numbers],
        [WORDS.format(number=number) for number in numbers],
    )


def _number(connection: psycopg.Connection, query: LiteralString, *values: int) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
