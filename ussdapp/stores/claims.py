"""Knows how a window is claimed: taken from the queue, checked and journaled in one transaction."""

import itertools
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from ussdapp.core.inbound import Lease
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import MOST_A_WHILE, MOST_IDENTICAL, Lane
from ussdapp.ports import Fenced, Submission, Unavailable
from ussdapp.stores.database import Connection, Database, as_array, first
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.queue import AGAIN
from ussdapp.stores.seal import Seal

_WHILE: Final = timedelta(hours=1)  # in which an MSISDN gets so many at most
_OVER_CAP: Final = timedelta(minutes=10)  # until one too many is looked at again
_FENCE: Final = "SELECT 1 FROM leases WHERE channel = %s AND bind = %s AND epoch = %s FOR SHARE"
# A block of which only the first ids fit keeps the others.
_TAKE: Final = """
    WITH locked AS MATERIALIZED (
        SELECT id, rank, turn, ids FROM queue
        WHERE channel = %(channel)s AND rank BETWEEN %(first)s AND %(last)s AND due_at <= %(now)s
        ORDER BY rank, turn, id LIMIT %(blocks)s FOR UPDATE SKIP LOCKED),
    summed AS (
        SELECT *, %(most)s - sum(cardinality(ids)) OVER (ORDER BY rank, turn, id)
            + cardinality(ids) AS room FROM locked),
    taken AS MATERIALIZED (
        SELECT id, rank, turn, ids[:room] AS ids, ids[room + 1:] AS rest
        FROM summed WHERE room > 0),
    gone AS (
        DELETE FROM queue q USING taken t WHERE q.id = t.id AND cardinality(rest) = 0),
    kept AS (
        UPDATE queue q SET ids = rest FROM taken t WHERE q.id = t.id AND cardinality(rest) > 0)
    SELECT ids FROM taken ORDER BY rank, turn, id
"""
# What ends here while an earlier copy is in doubt is in doubt: that copy may have arrived. What
# its MSISDN gets too much of waits: only one that is not the first of its day can be too much, and
# those that are keep their place.
_OPEN: Final = (
    """
    WITH checked AS MATERIALIZED (
        SELECT n.id, n.attempts + (NOT n.waited)::int AS attempt, n.sender_id, n.resent, n.rank,
            CASE
            WHEN n.expires_at <= %(now)s THEN 'expired'
            WHEN n.class IN ('transaction', 'bulk') AND EXISTS (
                SELECT FROM opt_outs o WHERE o.msisdn_index = n.msisdn_index
                AND o.until_at IS NULL
                AND (o.institution_id IS NULL OR o.institution_id = n.institution_id)
            ) THEN 'opted_out'
            WHEN n.crowded AND n.attempts = 0 AND n.class <> 'urgent' AND (
                SELECT count(*) >= %(most_a_while)s
                    OR count(*) FILTER (WHERE p.text_index = n.text_index) >= %(most_same)s
                FROM notifications p
                WHERE p.msisdn_index = n.msisdn_index AND p.accepted_at > %(a_day_ago)s
                    AND p.id <> n.id AND ((p.attempts > 0 AND p.status_at > %(a_while_ago)s)
                        OR (p.status = 'queued' AND (NOT p.crowded
                            OR (p.id < n.id AND p.id = ANY (%(ids)s::text::bigint[])))))
            ) THEN 'over_cap' END AS hindrance
        FROM notifications n
        WHERE n.id = ANY (%(ids)s::text::bigint[]) AND n.status = 'queued'),
    ended AS (
        UPDATE notifications n SET detail = c.hindrance,
            status_at = CASE c.hindrance WHEN 'over_cap' THEN n.status_at ELSE %(now)s END,
            due_at = CASE c.hindrance WHEN 'over_cap' THEN %(later)s ELSE n.due_at END,
            status = CASE
                WHEN c.hindrance = 'over_cap' THEN 'queued'
                WHEN c.resent AND EXISTS (SELECT FROM attempts a
                    WHERE a.notification_id = c.id AND a.outcome = 'in_doubt') THEN 'in_doubt'
                WHEN c.hindrance = 'expired' THEN 'expired' ELSE 'rejected' END
        FROM checked c WHERE n.id = c.id AND c.hindrance IS NOT NULL),
    journaled AS (
        INSERT INTO windows SELECT %(window)s, %(channel)s, %(bind)s, %(epoch)s, %(now)s,
            array_agg(id) FROM checked WHERE hindrance IS NULL HAVING count(*) > 0),
    later AS ("""  # noqa: S608
    + AGAIN
    + """
        FROM (SELECT %(channel)s AS channel, rank, 0 AS institution_id,
                %(later)s::timestamptz AS due_at, array_agg(id) AS ids
            FROM checked WHERE hindrance = 'over_cap' GROUP BY rank) e)
    SELECT c.id, c.attempt, c.sender_id, CASE WHEN c.attempt > 1 THEN ARRAY(
        SELECT DISTINCT part FROM submits s WHERE s.notification_id = c.id AND s.told) END
    FROM checked c WHERE c.hindrance IS NULL
"""
)
_CONTENTS: Final = """
    SELECT notification_id, msisdn_sealed, text_sealed FROM contents
    WHERE notification_id = ANY (%s::text::bigint[])
"""
# Only windows whose commit was not heard of: of them, not an octet was written.
_GIVE_BACK: Final = (
    "WITH unheard AS (DELETE FROM windows WHERE id = ANY (%s) RETURNING channel, ids)"  # noqa: S608
    + AGAIN
    + """
    FROM (SELECT n.channel, n.rank, 0 AS institution_id, min(n.due_at) AS due_at,
            array_agg(n.id ORDER BY n.id) AS ids
        FROM unheard u CROSS JOIN LATERAL unnest(u.ids) AS i (id) JOIN notifications n USING (id)
        GROUP BY n.channel, n.rank) e
"""
)


class Claims:
    """One process's claims; each names the window it opens."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._windows = itertools.count(secrets.randbits(62))
        self._unheard: list[int] = []  # windows whose claim may have been committed
        self._block = 1.0  # ids a block held of late

    def claim(self, lease: Lease, most: int, now: datetime, lane: Lane) -> list[Submission]:
        """Commits up to `most` due rows of that lane as an open window."""
        window, unheard = next(self._windows), list(self._unheard)
        values = {
            "channel": lease.channel,
            "bind": lease.bind,
            "epoch": lease.epoch,
            "first": lane.value[0],
            "last": lane.value[1],
            "most": most,
            "blocks": max(1, round(most / self._block)),
            "now": now,
            "later": now + _OVER_CAP,
            "a_while_ago": now - _WHILE,
            "a_day_ago": now - 25 * _WHILE,
            "most_a_while": MOST_A_WHILE,
            "most_same": MOST_IDENTICAL,
            "window": window,
        }
        try:
            found = self._database.run_once(lambda link: self._claimed(link, values, unheard))
        except Unavailable:
            # the commit may have happened unheard: the next claim gives those rows back
            self._unheard.append(window)
            raise
        self._unheard = [one for one in self._unheard if one not in unheard]
        return found

    def _claimed(
        self, connection: Connection, values: dict[str, Any], unheard: list[int]
    ) -> list[Submission]:
        fence = (values["channel"], values["bind"], values["epoch"])
        if first(connection, _FENCE, fence) is None:
            raise Fenced
        if unheard:
            connection.execute(_GIVE_BACK, (unheard,))
        cursor = connection.cursor(binary=True)
        while blocks := cursor.execute(_TAKE, values).fetchall():
            ids = [number for (block,) in blocks for number in block]
            self._block = len(ids) / len(blocks)
            listed = as_array(ids)
            opened = cursor.execute(_OPEN, {**values, "ids": listed}).fetchall()
            if opened:
                contents = cursor.execute(_CONTENTS, (listed,)).fetchall()
                return self._submissions(ids, opened, contents, values["window"])
        return []

    def _submissions(
        self, ids: list[int], opened: list[Any], contents: list[Any], window: int
    ) -> list[Submission]:
        """In the order in which they were taken."""
        rows = {row[0]: row for row in opened}
        sealed = {row[0]: row for row in contents}
        found = (rows[number] + sealed[number] for number in ids if number in rows)
        msisdn_of, text_of = self._seal.opener(MSISDN), self._seal.opener(TEXT)
        return [
            Submission(
                number,
                attempt,
                Msisdn(msisdn_of(msisdn)),
                text_of(text),
                sender_id,
                window,
                frozenset(taken) if taken else _NOTHING,
            )
            for number, attempt, sender_id, taken, _, msisdn, text in found
        ]


_NOTHING: Final[frozenset[int]] = frozenset()
