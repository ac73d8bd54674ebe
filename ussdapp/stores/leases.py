"""Knows who may submit on which bind, and puts in doubt what a dead holder left behind."""

import time
from datetime import datetime
from typing import Final, LiteralString

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.ports import Unavailable
from ussdapp.stores.advisory import Advisory, Lock
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.holders import has_ended, myself

# A holder unheard of so long is frozen or gone. By PostgreSQL's clock, which all holders share:
# one whose own clock jumps is neither dead nor for ever alive (faults.md rows 60 and 103).
SILENT: Final[LiteralString] = "renewed_at < now() - interval '30 s'"
_GRACE_S: Final = 4.0  # a living holder renews, and locks again, every second
_BUMP: Final = """
    INSERT INTO leases (channel, bind, epoch, renewed_at, holder)
    VALUES (%(channel)s, %(bind)s, 1, now(), %(holder)s)
    ON CONFLICT (channel, bind) DO UPDATE SET epoch = leases.epoch + 1, holder = excluded.holder,
        renewed_at = CASE WHEN %(held)s THEN now() ELSE leases.renewed_at END
    RETURNING epoch
"""
_DEAD: Final = f"""
    SELECT channel, bind, epoch FROM leases l WHERE {SILENT} AND EXISTS (
        SELECT FROM windows w
        WHERE w.channel = l.channel AND w.bind = l.bind AND w.epoch <= l.epoch)
    ORDER BY channel, bind
"""  # noqa: S608
_STILL_DEAD: Final = f"""
    SELECT FROM leases
    WHERE channel = %s AND bind = %s AND epoch = %s AND {SILENT} FOR UPDATE
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
    """Keeps ports.Leases. A session's advisory lock tells that a holder may have died: at once
    where its process is seen to have ended, else when it does not come back for its lock, as one
    does whose session alone was ended. The time it was last heard of tells that one is frozen."""

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._advisory = Advisory(url)
        # of locks found free: when their holder was last heard of, and when that was first seen
        self._free: dict[tuple[str, int], tuple[datetime, float]] = {}

    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        """A new epoch, unless another holder lives."""
        lock = self._locks(channel, bind)
        if lock is not Lock.GOT and self._heard(channel, bind):
            if lock is Lock.HAD:  # this process was taken for dead: who took its place lives
                self.release()
            return None
        if lock is Lock.GOT and not self._abandoned(channel, bind):
            self.release()  # for its holder, should it come back
            return None
        return self._database.run(lambda connection: _bump(connection, channel, bind, now))

    def renew(self, lease: Lease, now: datetime, *, bound: bool = True, share: float = 1.0) -> bool:
        """Tells that the holder lives, and how its bind fares."""
        self._locks(lease.channel, lease.bind)
        query: LiteralString = """UPDATE leases SET renewed_at = now(), share = %s,
            bound_at = CASE WHEN %s THEN %s ELSE bound_at END
            WHERE channel = %s AND bind = %s AND epoch = %s RETURNING epoch"""
        values = (share, bound, now, lease.channel, lease.bind, lease.epoch)
        return bool(self._database.run(lambda connection: first(connection, query, values)))

    def live(self, channel: str) -> int:
        """How many binds of the channel are held."""
        query = f"SELECT count(*) FROM leases WHERE channel = %s AND NOT {SILENT}"  # noqa: S608
        row = self._database.run(lambda link: first(link, query, (channel,)))
        return int(row[0]) if row else 0

    def bury(self, now: datetime) -> int:
        """Ends the leases nobody renewed."""
        dead = self._database.run(lambda link: rows(link, _DEAD))
        return sum(self._buried(Lease(*one), now) for one in dead)

    def _buried(self, lease: Lease, now: datetime) -> bool:
        """Whether it was ended. A holder that froze within a transaction keeps its rows locked:
        it is tried again in the next round, and nobody else waits for it."""

        def work(connection: Connection) -> bool:
            connection.execute("SET LOCAL lock_timeout = '200ms'")
            if first(connection, _STILL_DEAD, (lease.channel, lease.bind, lease.epoch)) is None:
                return False
            # nobody holds the new epoch: it is heard of no more than the old one
            _bump(connection, lease.channel, lease.bind, now, held=False)
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

    def _abandoned(self, channel: str, bind: int) -> bool:
        """Whether nobody comes back for a lock that was free."""
        query = f"""SELECT holder, renewed_at FROM leases
            WHERE channel = %s AND bind = %s AND NOT {SILENT}"""  # noqa: S608
        row = self._database.run(lambda link: first(link, query, (channel, bind)))
        if row is None or has_ended(row[0]):
            return True
        ticks, place = time.monotonic(), (channel, bind)
        heard_at, since = self._free.get(place, (None, ticks))
        if heard_at != row[1]:
            since = ticks
        self._free[place] = (row[1], since)
        return ticks - since > _GRACE_S

    def _heard(self, channel: str, bind: int) -> bool:
        query = f"SELECT 1 FROM leases WHERE channel = %s AND bind = %s AND NOT {SILENT}"  # noqa: S608
        return bool(self._database.run(lambda link: first(link, query, (channel, bind))))


def _bump(
    connection: Connection, channel: str, bind: int, now: datetime, *, held: bool = True
) -> Lease:
    who = {"held": held, "holder": myself() if held else ""}
    row = first(connection, _BUMP, {"channel": channel, "bind": bind, **who})
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
