"""Knows who may submit on which bind, and puts in doubt what a dead holder left behind."""

from datetime import datetime, timedelta
from typing import Final, LiteralString

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.ports import Unavailable
from ussdapp.stores.advisory import Advisory, Lock
from ussdapp.stores.database import Connection, Database, first, rows

_SILENT: Final = timedelta(seconds=30)  # a holder unheard of so long is frozen or gone
_BUMP: Final = """
    INSERT INTO leases (channel, bind, epoch, renewed_at) VALUES (%s, %s, 1, %s)
    ON CONFLICT (channel, bind) DO UPDATE
        SET epoch = leases.epoch + 1, renewed_at = excluded.renewed_at
    RETURNING epoch
"""
_DEAD: Final = """
    SELECT channel, bind, epoch FROM leases l WHERE renewed_at < %s AND EXISTS (
        SELECT FROM windows w
        WHERE w.channel = l.channel AND w.bind = l.bind AND w.epoch <= l.epoch)
    ORDER BY channel, bind
"""
_STILL_DEAD: Final = """
    SELECT FROM leases
    WHERE channel = %s AND bind = %s AND epoch = %s AND renewed_at < %s FOR UPDATE
"""
# Of what was journaled and not answered nobody knows whether it left.
_DOUBT: Final = """
    WITH lost AS (
        DELETE FROM windows WHERE channel = %(channel)s AND bind = %(bind)s AND epoch < %(epoch)s
        RETURNING id AS window_id, bind, epoch, journaled_at, ids),
    left_behind AS (
        SELECT n.id, n.channel, n.attempts + (NOT n.waited)::int AS attempt, l.*
        FROM lost l CROSS JOIN LATERAL unnest(l.ids) AS i (id) JOIN notifications n USING (id)
        ORDER BY n.id FOR UPDATE OF n),
    told AS (
        INSERT INTO attempts (notification_id, attempt, channel, bind, epoch, window_id,
            journaled_at, outcome, detail, answered_at)
        SELECT id, attempt, channel, bind, epoch, window_id, journaled_at, 'in_doubt',
            'worker_lost', %(now)s FROM left_behind
        ON CONFLICT (notification_id, attempt) DO UPDATE SET bind = excluded.bind,
            epoch = excluded.epoch, window_id = excluded.window_id,
            journaled_at = excluded.journaled_at, writes = attempts.writes + 1,
            outcome = excluded.outcome, detail = excluded.detail,
            answered_at = excluded.answered_at)
    UPDATE notifications n SET attempts = l.attempt, copies = n.copies + (NOT n.begun)::int,
        waited = false,
        status = CASE n.status WHEN 'queued' THEN 'in_doubt' ELSE n.status END,
        status_at = CASE n.status WHEN 'queued' THEN %(now)s ELSE n.status_at END,
        detail = CASE n.status WHEN 'queued' THEN 'worker_lost' ELSE n.detail END
    FROM left_behind l WHERE n.id = l.id
"""

log = structlog.get_logger()


class PgLeases:
    """Keeps ports.Leases. A session's advisory lock tells at once that a holder died; the time
    it was last heard of tells that one is frozen."""

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._advisory = Advisory(url)

    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        """A new epoch, unless another holder lives."""
        lock = self._locks(channel, bind)
        if lock is not Lock.GOT and self._heard(channel, bind, now):
            if lock is Lock.HAD:  # this process was taken for dead: who took its place lives
                self.release()
            return None
        return self._database.run(lambda connection: _bump(connection, channel, bind, now))

    def renew(self, lease: Lease, now: datetime, *, bound: bool = True, share: float = 1.0) -> bool:
        """Tells that the holder lives, and how its bind fares."""
        self._locks(lease.channel, lease.bind)
        query: LiteralString = """UPDATE leases SET renewed_at = %s, share = %s,
            bound_at = CASE WHEN %s THEN %s ELSE bound_at END
            WHERE channel = %s AND bind = %s AND epoch = %s RETURNING epoch"""
        values = (now, share, bound, now, lease.channel, lease.bind, lease.epoch)
        return bool(self._database.run(lambda connection: first(connection, query, values)))

    def live(self, channel: str, now: datetime) -> int:
        """How many binds of the channel are held now."""
        query = "SELECT count(*) FROM leases WHERE channel = %s AND renewed_at > %s"
        row = self._database.run(lambda link: first(link, query, (channel, now - _SILENT)))
        return int(row[0]) if row else 0

    def bury(self, now: datetime) -> int:
        """Ends the leases nobody renewed."""
        before = now - _SILENT
        dead = self._database.run(lambda link: rows(link, _DEAD, (before,)))
        return sum(self._buried(Lease(*one), before, now) for one in dead)

    def _buried(self, lease: Lease, before: datetime, now: datetime) -> bool:
        """Whether it was ended. A holder that froze within a transaction keeps its rows locked:
        it is tried again in the next round, and nobody else waits for it."""

        def work(connection: Connection) -> bool:
            connection.execute("SET LOCAL lock_timeout = '200ms'")
            values = (lease.channel, lease.bind, lease.epoch, before)
            if first(connection, _STILL_DEAD, values) is None:
                return False
            # nobody holds the new epoch: it is heard of no more than the old one
            _bump(connection, lease.channel, lease.bind, now, heard_at=before)
            return True

        try:
            return self._database.run_once(work)
        except Unavailable:
            log.warning("lease.unburied", channel=lease.channel, bind=lease.bind)
            return False

    def release(self) -> None:
        """Gives the advisory locks back."""
        self._advisory.release()

    def _locks(self, channel: str, bind: int) -> Lock:
        """Whether this process has the bind's advisory lock, taking it when it is free."""
        return self._advisory.lock(_lock_class(channel), bind)

    def _heard(self, channel: str, bind: int, now: datetime) -> bool:
        query = "SELECT 1 FROM leases WHERE channel = %s AND bind = %s AND renewed_at > %s"
        values = (channel, bind, now - _SILENT)
        return bool(self._database.run(lambda connection: first(connection, query, values)))


def _bump(
    connection: Connection,
    channel: str,
    bind: int,
    now: datetime,
    heard_at: datetime | None = None,
) -> Lease:
    row = first(connection, _BUMP, (channel, bind, heard_at or now))
    epoch = int(row[0]) if row else 0
    values = {"channel": channel, "bind": bind, "epoch": epoch, "now": now}
    connection.execute(_DOUBT, values)
    return Lease(channel, bind, epoch)


def _lock_class(channel: str) -> int:
    """A positive int4 that is the channel's own, for the two-key advisory lock."""
    number = 0
    for octet in channel.encode():
        number = (number * 131 + octet) % 0x7FFFFFFF
    return number
