"""Knows who may submit on which bind, and puts in doubt what a dead holder left behind."""

from datetime import datetime, timedelta
from typing import Final, LiteralString

import psycopg

from ussdapp.core.inbound import Lease
from ussdapp.ports import Unavailable
from ussdapp.stores.database import Connection, Database, first, rows

_SILENT: Final = timedelta(seconds=30)  # a holder unheard of so long is frozen or gone
_BUMP: Final = """
    INSERT INTO leases (channel, bind, epoch, renewed_at) VALUES (%s, %s, 1, %s)
    ON CONFLICT (channel, bind) DO UPDATE
        SET epoch = leases.epoch + 1, renewed_at = excluded.renewed_at
    RETURNING epoch
"""
_DEAD: Final = """
    SELECT channel, bind FROM leases l WHERE renewed_at < %s AND EXISTS (
        SELECT FROM notifications n WHERE n.status = 'submitting'
        AND n.channel = l.channel AND n.bind = l.bind AND n.epoch <= l.epoch)
    ORDER BY channel, bind FOR UPDATE
"""
# Rows are locked by id everywhere, so that receipts and answers never wait in a ring.
_DOUBT: Final = """
    WITH left_behind AS (
        SELECT id, attempts FROM notifications
        WHERE status = 'submitting' AND channel = %s AND bind = %s AND epoch < %s
        ORDER BY id FOR UPDATE),
    told AS (
        UPDATE attempts a SET outcome = 'in_doubt', detail = 'worker_lost', answered_at = %s
        FROM left_behind l WHERE a.notification_id = l.id AND a.attempt = l.attempts)
    UPDATE notifications n SET status = 'in_doubt', status_at = %s, detail = 'worker_lost'
    FROM left_behind l WHERE n.id = l.id
"""


class PgLeases:
    """Keeps ports.Leases. A session's advisory lock tells at once that a holder died; the time
    it was last heard of tells that one is frozen."""

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._url = url
        self._session: psycopg.Connection | None = None

    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        """A new epoch, unless another holder lives."""
        if not self._locks(channel, bind) and self._heard(channel, bind, now):
            return None
        return self._database.run(lambda connection: _bump(connection, channel, bind, now))

    def renew(self, lease: Lease, now: datetime) -> bool:
        """Tells that the holder lives."""
        self._locks(lease.channel, lease.bind)
        query: LiteralString = """UPDATE leases SET renewed_at = %s
            WHERE channel = %s AND bind = %s AND epoch = %s RETURNING epoch"""
        values = (now, lease.channel, lease.bind, lease.epoch)
        return bool(self._database.run(lambda connection: first(connection, query, values)))

    def bury(self, now: datetime) -> int:
        """Ends the leases nobody renewed."""

        def work(connection: Connection) -> int:
            dead = rows(connection, _DEAD, (now - _SILENT,))
            for channel, bind in dead:
                _bump(connection, channel, bind, now)
            return len(dead)

        return self._database.run(work)

    def release(self) -> None:
        """Gives the advisory locks back."""
        if self._session:
            self._session.close()
            self._session = None

    def _locks(self, channel: str, bind: int) -> bool:
        """Whether this process holds the bind's advisory lock, taking it when it is free."""
        query = """SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'
                AND pid = pg_backend_pid() AND granted AND objsubid = 2
                AND classid = %(class)s::bigint::oid AND objid = %(object)s::bigint::oid)
            OR pg_try_advisory_lock(%(class)s, %(object)s)"""
        values = {"class": _lock_class(channel), "object": bind}
        try:
            if self._session is None or self._session.closed:
                self._session = psycopg.connect(self._url, autocommit=True, connect_timeout=2)
            row = self._session.execute(query, values).fetchone()
        except psycopg.OperationalError as trouble:
            self.release()
            raise Unavailable(f"PostgreSQL: {type(trouble).__name__}") from None
        return bool(row and row[0])

    def _heard(self, channel: str, bind: int, now: datetime) -> bool:
        query = "SELECT 1 FROM leases WHERE channel = %s AND bind = %s AND renewed_at > %s"
        values = (channel, bind, now - _SILENT)
        return bool(self._database.run(lambda connection: first(connection, query, values)))


def _bump(connection: Connection, channel: str, bind: int, now: datetime) -> Lease:
    row = first(connection, _BUMP, (channel, bind, now))
    epoch = int(row[0]) if row else 0
    connection.execute(_DOUBT, (channel, bind, epoch, now, now))
    return Lease(channel, bind, epoch)


def _lock_class(channel: str) -> int:
    """A positive int4 that is the channel's own, for the two-key advisory lock."""
    number = 0
    for octet in channel.encode():
        number = (number * 131 + octet) % 0x7FFFFFFF
    return number
