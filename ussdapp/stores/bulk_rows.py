"""Knows which bulks are to be checked, by whom, and what becomes of them when they are: what is
held of them is queued, or ended."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from io import BufferedReader
from typing import IO, Any, Final

import psycopg
import structlog

from ussdapp.core.bulk import (
    BulkStatus,
    Checking,
    Chunk,
    Refusal,
    Source,
    needs_approval,
)
from ussdapp.core.notification import LIVES, Class
from ussdapp.core.quiet import eat_day
from ussdapp.core.quota import OverQuota, Quota
from ussdapp.ports import Unavailable
from ussdapp.stores.bulk_chunks import HELD, Prepared, keep
from ussdapp.stores.bulk_files import Sealed
from ussdapp.stores.bulks import A_BLOCK, A_PIECE, BLOCK, TEXT
from ussdapp.stores.database import Connection, Database, as_array, first, rows
from ussdapp.stores.queue import Flow, enqueue
from ussdapp.stores.quotas import refusing, spend
from ussdapp.stores.seal import Seal, Unsealable

_LOCK_CLASS: Final = 0x62756C6B  # of advisory locks: a bulk is checked by one process
_FRESH: Final = timedelta(minutes=10)  # until what was held is dated anew when it is queued
_WAITING: Final = """
    SELECT b.id, b.live, b.text_sealed, b.class, b.sender_id, b.repeats, b.source, b.accepted_at,
        b.send_at, b.institution_id, i.approval_above, b.read, b.tries,
        b.text_en_sealed, i.plain_text
    FROM bulks b JOIN institutions i ON i.id = b.institution_id
    WHERE b.ended_at IS NULL AND b.status = 'checking' AND b.id <> ALL (%s) ORDER BY b.id LIMIT 20
"""
_COUNTED: Final = 1000
_TRIED: Final = f"UPDATE bulks SET tries = tries + 1 WHERE id = %s AND tries < {_COUNTED}"  # noqa: S608
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(%s, %s)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(%s, %s)"
_BLOCK: Final = "SELECT sealed FROM bulk_blocks WHERE bulk_id = %s AND number = %s"
_LAST: Final = """
    SELECT number FROM bulk_blocks WHERE bulk_id = %s ORDER BY number DESC LIMIT 1
"""
_CHECKED: Final = """
    UPDATE bulks SET status = %(status)s, total = accepted + rejected, code = %(code)s,
        detail = %(detail)s,
        released_at = CASE WHEN accepted = 0 THEN %(now)s END,
        ended_at = CASE WHEN %(status)s IN ('finished', 'stopped') THEN %(now)s::timestamptz END
    WHERE id = %(id)s AND status = 'checking'
"""
_FORGET: Final = "DELETE FROM bulk_blocks WHERE bulk_id = %s"
_FORGET_LOST: Final = """
    DELETE FROM bulk_blocks k WHERE kept_at < %s AND NOT EXISTS (
        SELECT FROM bulks b WHERE b.id = k.bulk_id AND b.status = 'checking')
"""
_REFUSED: Final = """
    UPDATE queue SET channel = 'stopped:' WHERE bulk_id = %s AND channel LIKE 'held:%%'
"""
_QUEUED: Final = """
    SELECT id, class, accepted_at, send_at FROM bulks
    WHERE status = 'queued' AND released_at IS NULL ORDER BY id LIMIT 20
"""
_STANDS: Final = "SELECT status FROM bulks WHERE id = %s FOR SHARE"
_RELEASED: Final = """
    DELETE FROM queue WHERE id IN (SELECT id FROM queue WHERE bulk_id = %s
        AND channel LIKE 'held:%%' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING channel, rank, institution_id, ids
"""
_DATED: Final = """
    UPDATE notifications SET due_at = %s, expires_at = %s WHERE id = ANY (%s::text::bigint[])
"""
_ALL_RELEASED: Final = """
    UPDATE bulks SET released_at = %s, counts = jsonb_build_object('queued', accepted),
        counted_at = greatest(%s, send_at)
    WHERE id = %s AND status = 'queued' AND NOT EXISTS (
        SELECT FROM queue WHERE bulk_id = %s AND channel LIKE 'held:%%')
"""
_ENDED: Final = """
    WITH gone AS (
        DELETE FROM queue WHERE id IN (SELECT id FROM queue WHERE channel = 'stopped:'
            ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED) RETURNING ids),
    moved AS (
        UPDATE notifications n SET status_at = %s, detail = '',
            status = CASE WHEN n.resent THEN 'in_doubt' ELSE 'stopped' END
        FROM (SELECT unnest(ids) AS id FROM gone) g WHERE n.id = g.id AND n.status = 'queued')
    SELECT count(*) FROM gone
"""

log = structlog.get_logger()


class PgBulkRows:
    """Keeps import_bulk.BulkRows, for one process. All raise Unavailable."""

    def __init__(self, database: Database, seal: Seal, url: str) -> None:
        self._database = database
        self._seal = seal
        self._url = url
        self._session: psycopg.Connection | None = None
        self._writer = ThreadPoolExecutor(1)
        self._under_way: dict[int, Future[None]] = {}

    def claim(self, but: list[int]) -> Checking | None:
        """A bulk to be checked that no process checks; this one does until `give_back`."""
        for row in self._database.run(lambda link: rows(link, _WAITING, (but,))):
            if self._ask(_TRY_LOCK, row[0]):
                self._database.run(partial(_execute, query=_TRIED, values=(row[0],)))
                return self._checking(row)
        return None

    def _checking(self, row: Any) -> Checking:
        klass, source, tries = Class(row[3]), Source(row[6]), row[12]
        try:
            text = self._seal.open_text(row[2], TEXT)
            en = self._seal.open_text(row[13], TEXT) if row[13] else None
        except Unsealable:
            # tried often enough: it is ended, and those behind it are checked
            log.error("bulk.unreadable", bulk=row[0])  # noqa: TRY400 (it has one cause)
            text, en, tries = "", None, _COUNTED
        tail = (*row[7:12], tries, en, row[14])
        return Checking(row[0], row[1], text, klass, row[4], row[5], source, *tail)

    def give_back(self, number: int) -> None:
        """It is done with."""
        if number in self._under_way:
            wait([self._under_way.pop(number)])
        self._ask(_UNLOCK, number)

    def close(self) -> None:
        """Gives the locks back."""
        self._writer.shutdown()
        if self._session:
            self._session.close()
            self._session = None

    def recipients(self, number: int, after: int) -> Iterator[Any]:
        """The recipients of a bulk after so many."""
        skipped = after % A_BLOCK
        for octets in self.pieces(number, after // A_BLOCK):
            yield from json.loads(octets)[skipped:]
            skipped = 0

    def pieces(self, number: int, start: int = 0) -> Iterator[bytes]:
        """The octets of its blocks, one after the other."""
        while (octets := self.piece(number, start)) is not None:
            yield octets
            start += 1

    def piece(self, number: int, place: int) -> bytes | None:
        """The octets of one block; None behind the last."""
        row = self._database.run(lambda link: first(link, _BLOCK, (number, place)))
        return self._seal.open(row[0], BLOCK) if row else None

    def size(self, number: int) -> int:
        """The octets of its file."""
        row = self._database.run(lambda link: first(link, _LAST, (number,)))
        return row[0] * A_PIECE + len(self.piece(number, row[0]) or b"") if row else 0

    def file(self, number: int) -> IO[bytes]:
        """Its file, to be sought in."""
        return BufferedReader(Sealed(partial(self.piece, number), self.size(number), A_PIECE))

    def keep(self, bulk: Checking, chunk: Chunk) -> None:
        """Commits what came of some rows, with the progress: notifications that are held, and
        rejections. It is begun here, and its trouble, or Overtaken, is raised by the next call
        for that bulk: while PostgreSQL writes, this process prepares what follows."""
        prepared = Prepared(self._seal, bulk, chunk)
        self._await(bulk.id)
        work = partial(keep, bulk=bulk, chunk=chunk, prepared=prepared)
        self._under_way[bulk.id] = self._writer.submit(self._database.run, work)

    def _await(self, number: int) -> None:
        under_way = self._under_way.pop(number, None)
        if under_way:
            under_way.result()

    def checked(self, bulk: Checking, refusal: Refusal | None, now: datetime) -> BulkStatus:
        """All of it is checked, or it was refused as a whole; the quota may refuse it here."""
        self._await(bulk.id)
        day = eat_day(now)
        try:
            with refusing(day):
                return self._database.run(lambda link: _checked(link, bulk, refusal, now))
        except OverQuota as over:
            quota = over.quota
            return self._database.run(lambda link: _checked(link, bulk, None, now, quota))

    def release(self, now: datetime, most: int) -> frozenset[str] | None:
        """Queues up to `most` held blocks of a bulk that may be sent; the channels of what is due
        now, None when there is nothing to queue."""
        return self._database.run(lambda link: _release(link, now, most))

    def end_stopped(self, now: datetime) -> bool:
        """Ends the rows of some blocks of stopped bulks; False when there is none."""

        def work(connection: Connection) -> bool:
            row = first(connection, _ENDED, (now,))
            return bool(row and row[0])

        return self._database.run(work)

    def forget_lost(self, now: datetime) -> None:
        """Deletes blocks of uploads that were never finished, and of bulks that are checked."""
        values = (now - timedelta(hours=1),)
        self._database.run(lambda link: link.execute(_FORGET_LOST, values) and None)

    def _ask(self, query: Any, number: int) -> bool:
        try:
            if self._session is None or self._session.closed:
                self._session = psycopg.connect(self._url, autocommit=True, connect_timeout=2)
            row = self._session.execute(query, (_LOCK_CLASS, number)).fetchone()
        except psycopg.OperationalError as trouble:
            self._session = None
            raise Unavailable(f"PostgreSQL: {type(trouble).__name__}") from None
        return bool(row and row[0])


def _checked(
    connection: Connection,
    bulk: Checking,
    refusal: Refusal | None,
    now: datetime,
    over: Quota | None = None,
) -> BulkStatus:
    query = "SELECT accepted, status, parts FROM bulks WHERE id = %s FOR NO KEY UPDATE"
    row = first(connection, query, (bulk.id,))
    if row is None or row[1] != "checking":
        return BulkStatus.STOPPED
    if over:
        refusal = Refusal(over.code, f"It takes {row[2]} parts. {over}")
    if refusal:
        status = BulkStatus.STOPPED
        connection.execute(_REFUSED, (bulk.id,))
    elif not row[0]:
        status = BulkStatus.FINISHED
    else:
        status = BulkStatus.QUEUED
        spend(connection, bulk.institution_id, bulk.klass, eat_day(now), row[2], live=bulk.live)
    if status is BulkStatus.QUEUED and needs_approval(bulk.klass, row[0], bulk.approval_above):
        status = BulkStatus.AWAITING_APPROVAL
    code, detail = refusal or ("", "")
    values = {"id": bulk.id, "status": status.value, "code": code, "detail": detail, "now": now}
    connection.execute(_CHECKED, values)
    connection.execute(_FORGET, (bulk.id,))
    return status


def _release(connection: Connection, now: datetime, most: int) -> frozenset[str] | None:
    for number, klass, accepted_at, send_at in rows(connection, _QUEUED):
        if first(connection, _STANDS, (number,)) != ("queued",):
            continue
        due = max(send_at or accepted_at, accepted_at)
        late = now - due > _FRESH
        due = now if late else due
        blocks = rows(connection, _RELEASED, (number, most))
        for channel, rank, institution, ids in blocks:
            flow = Flow(channel.removeprefix(HELD), rank, institution, number)
            enqueue(connection, flow, ids, due)
            if late:
                connection.execute(_DATED, (due, due + LIVES[Class(klass)], as_array(ids)))
        if len(blocks) < most:
            connection.execute(_ALL_RELEASED, (now, now, number, number))
        return frozenset(block[0].removeprefix(HELD) for block in blocks if due <= now)
    return None


def _execute(connection: Connection, query: Any, values: Any) -> None:
    connection.execute(query, values)
