"""Knows how a window is claimed: taken from the queue, checked and journaled in one transaction."""

import itertools
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.core.notification import MOST_A_WHILE, MOST_IDENTICAL, Lane
from ussdapp.ports import Fenced, Submission, Unavailable
from ussdapp.stores.claim_checks import Claimed, checked
from ussdapp.stores.contents import Contents
from ussdapp.stores.database import Connection, Database
from ussdapp.stores.express_claims import PLAIN, ExpressClaims, Unreadable
from ussdapp.stores.queue import AGAIN, NEXT
from ussdapp.stores.seal import Seal

_WHILE: Final = timedelta(hours=1)  # in which an MSISDN gets so many at most
_UNHEARD: Final = timedelta(minutes=1)  # a commit that is under way has happened by then, or never
_MOST_BLOCKS: Final = 64
_OVER_CAP: Final = timedelta(minutes=10)  # until one too many is looked at again
# The lease, the blocks that come next, and what of them is plain. A block of which only the first
# ids fit keeps the others. The first row, without ids, tells that the lease holds.
_CLAIM: Final = f"""{NEXT}
    summed AS (
        SELECT *, %(most)s - sum(cardinality(ids)) OVER (ORDER BY rank, turn, id)
            + cardinality(ids) AS room FROM locked),
    taken AS MATERIALIZED (
        SELECT id, rank, turn, ids[:room] AS ids, ids[room + 1:] AS rest
        FROM summed WHERE room > 0),
    gone AS (
        DELETE FROM queue q USING taken t WHERE q.id = t.id AND cardinality(rest) = 0),
    kept AS (
        UPDATE queue q SET ids = rest FROM taken t WHERE q.id = t.id AND cardinality(rest) > 0),
    plain AS MATERIALIZED (
        SELECT id, sender_id, pack_id, expires_at FROM notifications n
        WHERE id = ANY (ARRAY(SELECT unnest(ids) FROM taken)) AND {PLAIN}),
    journaled AS (
        INSERT INTO windows SELECT %(window)s, %(channel)s, %(bind)s, %(epoch)s, %(now)s,
            array_agg(id) FROM plain HAVING count(*) > 0)
    SELECT 0 AS kind, 0 AS rank, 0::bigint AS turn, '' AS sender_id, NULL::bigint AS pack_id,
        NULL::bigint[] AS ids, NULL::timestamptz AS expires_at
        FROM fence
    UNION ALL SELECT 1, rank, turn, '', NULL, ids, NULL FROM taken
    UNION ALL SELECT 2, 0, 0, sender_id, pack_id, array_agg(id ORDER BY id), expires_at
        FROM plain GROUP BY sender_id, pack_id, expires_at
    ORDER BY kind, rank, turn
"""  # noqa: S608
# What cannot be opened is never submitted; the others of its window are. Where there are none, no
# window is left open: the next round opens one of the same number.
_UNREADABLE: Final = """
    WITH narrowed AS (
        UPDATE windows SET ids = ARRAY(SELECT i FROM unnest(ids) i WHERE i <> ALL (%(bad)s))
        WHERE id = %(window)s AND NOT ids <@ %(bad)s::bigint[]),
    gone AS (
        DELETE FROM windows WHERE id = %(window)s AND ids <@ %(bad)s::bigint[])
    UPDATE notifications SET status = 'rejected', detail = 'unopened', status_at = %(now)s
    WHERE id = ANY (%(bad)s)
"""
# Only windows whose commit was not heard of: of them, not an octet was written. Those of a bulk
# that was stopped meanwhile are told so by its trigger.
_GIVE_BACK: Final = (
    """
    WITH unheard AS (DELETE FROM windows WHERE id = ANY (%s) RETURNING ids),
    back AS (
        UPDATE notifications n SET status = n.status
        FROM unheard u WHERE n.id = ANY (u.ids) AND n.status = 'queued' RETURNING n.*)
"""  # noqa: S608
    + AGAIN
    + """
    FROM (SELECT channel, rank, coalesce(institution_id, 0) AS institution_id,
            coalesce(bulk_id, 0) AS bulk_id, min(due_at) AS due_at, array_agg(id ORDER BY id) AS ids
        FROM back GROUP BY 1, 2, 3, 4) e
"""
)

_BLOCK, _PLAIN = 1, 2  # kinds of rows it answers
_SIMPLE: Final = 3  # rows: the lease, a block, and what is plain of it

Work = Callable[[Connection], None]

log = structlog.get_logger()


def nothing(_: Connection) -> None:
    """Has nothing to do first."""


class Claims:
    """One process's claims; each names the window it opens."""

    def __init__(self, database: Database, seal: Seal, express: Database | None = None) -> None:
        self._database = database
        self._contents = Contents(seal)
        self._windows = itertools.count(secrets.randbits(62))
        # windows whose claim may have been committed, or may yet be; each lane has its thread
        self._unheard: dict[int, datetime] = {}
        self._block = dict.fromkeys(Lane, 1.0)  # ids a block held of late
        self._express = ExpressClaims(express or database, seal)

    def claim(
        self, lease: Lease, most: int, now: datetime, lane: Lane, first: Work
    ) -> list[Submission]:
        """Commits up to `most` due rows of that lane as an open window, and with it what `first`
        does."""
        window, unheard = next(self._windows), list(self._unheard)
        values = {
            "channel": lease.channel,
            "bind": lease.bind,
            "epoch": lease.epoch,
            "first": lane.value[0],
            "last": lane.value[1],
            "most": most,
            "blocks": self._blocks(most, lane),
            "now": now,
            "later": now + _OVER_CAP,
            "a_while_ago": now - _WHILE,
            "a_day_ago": now - 25 * _WHILE,
            "most_a_while": MOST_A_WHILE,
            "most_same": MOST_IDENTICAL,
            "window": window,
        }
        try:
            alone = not unheard and first is nothing
            found = self._express.claim(values, lane) if alone else None
            while found is None:  # a round that opened nothing is committed by itself
                work = partial(self._round, values=values, unheard=unheard, lane=lane, first=first)
                found = self._database.run_once(work)
                first = nothing
        except Unreadable:
            self._unheard[window] = now
            return self.claim(lease, most, now, lane, first)
        except Unavailable:
            # the commit may have happened unheard: the next claims give those rows back
            self._unheard[window] = now
            raise
        for one in unheard:
            if now - self._unheard.get(one, now) > _UNHEARD:
                self._unheard.pop(one, None)
        return found

    def _blocks(self, most: int, lane: Lane) -> int:
        """How many to look at: those locked and not taken are nobody else's meanwhile."""
        held = self._block[lane]
        return most if held <= 1 else min(_MOST_BLOCKS, max(1, round(most / held)))

    def _round(
        self,
        connection: Connection,
        values: dict[str, Any],
        unheard: list[int],
        lane: Lane,
        first: Work,
    ) -> list[Submission] | None:
        """What was opened; None when all that was taken ended instead."""
        if unheard:
            connection.execute(_GIVE_BACK, (unheard,))
        cursor = connection.cursor(binary=True)
        told = cursor.execute(_CLAIM, values).fetchall()
        if not told:
            raise Fenced
        first(connection)  # after the lease is locked: a takeover locks it, then windows
        blocks = [row[5] for row in told if row[0] == _BLOCK]
        if not blocks:
            return []
        ids = [number for block in blocks for number in block]
        self._block[lane] = len(ids) / len(blocks)
        claimed = [Claimed(row[5], 1, row[3], row[4], row[6]) for row in told if row[0] == _PLAIN]
        if others := set(ids).difference(*(one.ids for one in claimed)):
            claimed += checked(cursor, values, sorted(others))
        if not claimed:
            return None
        found, bad = self._contents.submissions(cursor, claimed, values["window"])
        if bad:
            log.error("claim.unreadable", channel=values["channel"], rows=len(bad))
            connection.execute(_UNREADABLE, {**values, "bad": bad})
        # one block of one bulk lies in order
        return (_in_order(found, ids) if len(told) > _SIMPLE else found) or None


def _in_order(found: list[Submission], ids: list[int]) -> list[Submission]:
    """In the order in which they were taken."""
    places = {number: place for place, number in enumerate(ids)}
    return sorted(found, key=lambda row: places[row.id])
