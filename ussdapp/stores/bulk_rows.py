"""Knows which bulks are to be checked, by whom, and what becomes of them when they are."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial
from typing import Any, Final

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
from ussdapp.core.notification import Class
from ussdapp.core.quiet import eat_day
from ussdapp.core.quota import OverQuota, Quota
from ussdapp.ports import Unavailable
from ussdapp.stores.bulk_blocks import forget
from ussdapp.stores.bulk_chunks import Prepared, keep
from ussdapp.stores.bulk_releases import release
from ussdapp.stores.bulk_stops import end_withdrawn, withdraw
from ussdapp.stores.bulks import TEXT
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.quotas import refusing, spend
from ussdapp.stores.seal import Seal, Unsealable

_LOCK_CLASS: Final = 0x62756C6B  # of advisory locks: a bulk is checked by one process
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
_CHECKED: Final = """
    UPDATE bulks SET status = %(status)s, total = accepted + rejected, code = %(code)s,
        detail = %(detail)s,
        released_at = CASE WHEN accepted = 0 THEN %(now)s END,
        ended_at = CASE WHEN %(status)s IN ('finished', 'stopped') THEN %(now)s::timestamptz END
    WHERE id = %(id)s AND status = 'checking'
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
        return self._database.run(lambda link: release(link, now, most))

    def end_stopped(self, now: datetime) -> bool:
        """Ends the rows of some blocks of stopped bulks; False when there is none."""
        return self._database.run(lambda link: end_withdrawn(link, now))

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
        withdraw(connection, bulk.id)
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
    forget(connection, bulk.id)
    return status


def _execute(connection: Connection, query: Any, values: Any) -> None:
    connection.execute(query, values)
