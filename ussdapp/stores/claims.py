"""Knows how a window is claimed: taken from the queue, checked and journaled in one transaction."""

import itertools
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog

from ussdapp.core.inbound import Lease
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import MOST_A_WHILE, MOST_IDENTICAL, Lane
from ussdapp.ports import Fenced, Submission, Unavailable
from ussdapp.stores.database import Connection, Database, as_array, first
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.packs import Pack, Packs
from ussdapp.stores.queue import AGAIN
from ussdapp.stores.seal import Seal

_WHILE: Final = timedelta(hours=1)  # in which an MSISDN gets so many at most
_UNHEARD: Final = timedelta(minutes=1)  # a commit that is under way has happened by then, or never
_MOST_BLOCKS: Final = 64
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
# Most are plain: never tried, due, wanted, and of an MSISDN that got nothing else lately. They are
# looked at and journaled in one go.
_PLAIN: Final = """
    WITH found AS MATERIALIZED (
        SELECT id, sender_id, pack_id FROM notifications n
        WHERE id = ANY (%(ids)s::text::bigint[]) AND status = 'queued' AND attempts = 0
            AND NOT waited AND NOT resent AND expires_at > %(now)s
            AND (NOT crowded OR class = 'urgent')
            AND NOT EXISTS (SELECT FROM opt_outs o WHERE o.msisdn_index = n.msisdn_index
                AND o.until_at IS NULL AND n.class IN ('transaction', 'bulk')
                AND (o.institution_id IS NULL OR o.institution_id = n.institution_id))),
    journaled AS (
        INSERT INTO windows SELECT %(window)s, %(channel)s, %(bind)s, %(epoch)s, %(now)s,
            array_agg(id) FROM found HAVING count(*) > 0)
    SELECT sender_id, pack_id, array_agg(id ORDER BY id) FROM found GROUP BY 1, 2
"""
# What ends here while an earlier copy is in doubt is in doubt: that copy may have arrived. What
# its MSISDN gets too much of waits: only one that is not the first of its day can be too much, and
# those that are keep their place.
_OPEN: Final = (
    """
    WITH found AS MATERIALIZED (
        SELECT id, attempts + (NOT waited)::int AS attempt, sender_id, resent, rank, class,
            institution_id, coalesce(bulk_id, 0) AS bulk_id, msisdn_index, text_index, expires_at,
            crowded AND attempts = 0 AND class <> 'urgent' AS counted, pack_id
        FROM notifications WHERE id = ANY (%(ids)s::text::bigint[]) AND status = 'queued'),
    had AS MATERIALIZED (
        SELECT p.msisdn_index, p.text_index, count(*) AS count
        FROM (SELECT DISTINCT msisdn_index FROM found WHERE counted) c
        JOIN notifications p USING (msisdn_index)
        WHERE p.accepted_at > %(a_day_ago)s
            AND ((p.attempts > 0 AND p.status_at > %(a_while_ago)s) OR (p.status = 'queued'
                AND (NOT p.crowded OR p.id IN (SELECT unnest(ids) FROM windows))))
        GROUP BY 1, 2),
    gets AS MATERIALIZED (
        SELECT id, row_number() OVER (PARTITION BY msisdn_index ORDER BY id)
                + (SELECT coalesce(sum(h.count), 0) FROM had h
                    WHERE h.msisdn_index = f.msisdn_index) > %(most_a_while)s
            OR row_number() OVER (PARTITION BY msisdn_index, text_index ORDER BY id)
                + (SELECT coalesce(sum(h.count), 0) FROM had h
                    WHERE (h.msisdn_index, h.text_index) = (f.msisdn_index, f.text_index))
                > %(most_same)s AS too_many
        FROM found f WHERE counted),
    checked AS MATERIALIZED (
        SELECT f.*, CASE
            WHEN f.expires_at <= %(now)s THEN 'expired'
            WHEN f.class IN ('transaction', 'bulk') AND EXISTS (
                SELECT FROM opt_outs o WHERE o.msisdn_index = f.msisdn_index
                AND o.until_at IS NULL
                AND (o.institution_id IS NULL OR o.institution_id = f.institution_id)
            ) THEN 'opted_out'
            WHEN g.too_many THEN 'over_cap' END AS hindrance
        FROM found f LEFT JOIN gets g USING (id)),
    ended AS (
        UPDATE notifications n SET detail = c.hindrance,
            status_at = CASE c.hindrance WHEN 'over_cap' THEN n.status_at ELSE %(now)s END,
            due_at = CASE c.hindrance WHEN 'over_cap' THEN %(later)s ELSE n.due_at END,
            status = CASE
                WHEN c.hindrance = 'over_cap' THEN 'queued'
                WHEN c.resent AND EXISTS (SELECT FROM attempts a
                    WHERE a.notification_id = c.id AND a.outcome = 'in_doubt') THEN 'in_doubt'
                WHEN c.hindrance = 'expired' THEN 'expired' ELSE 'rejected' END
        FROM checked c
        WHERE n.id = c.id AND c.hindrance IS NOT NULL AND n.status = 'queued'),
    journaled AS (
        INSERT INTO windows SELECT %(window)s, %(channel)s, %(bind)s, %(epoch)s, %(now)s,
            array_agg(id) FROM checked WHERE hindrance IS NULL HAVING count(*) > 0
        ON CONFLICT (id) DO UPDATE SET ids = windows.ids || excluded.ids),
    later AS ("""  # noqa: S608
    + AGAIN
    + """
        FROM (SELECT %(channel)s AS channel, rank, coalesce(institution_id, 0) AS institution_id,
                bulk_id, %(later)s::timestamptz AS due_at, array_agg(id ORDER BY id) AS ids
            FROM checked WHERE hindrance = 'over_cap' GROUP BY 1, 2, 3, 4) e)
    SELECT c.id, c.attempt, c.sender_id, c.pack_id, CASE WHEN c.attempt > 1 THEN ARRAY(
        SELECT DISTINCT part FROM submits s WHERE s.notification_id = c.id AND s.told) END
    FROM checked c WHERE c.hindrance IS NULL
"""
)
_CONTENTS: Final = """
    SELECT notification_id, msisdn_sealed, text_sealed FROM contents
    WHERE notification_id = ANY (%s::text::bigint[])
"""
# A late answer of a first copy in doubt waits for the claim of the second, or the claim for it.
_LOCK_DOUBTS: Final = """
    SELECT FROM doubts d JOIN notifications n ON n.id = d.notification_id
    WHERE d.notification_id = ANY (%(ids)s::text::bigint[]) ORDER BY n.id FOR NO KEY UPDATE OF n
"""
# What cannot be opened is never submitted; the others of its window are.
_UNREADABLE: Final = """
    WITH narrowed AS (
        UPDATE windows SET ids = ARRAY(SELECT i FROM unnest(ids) i WHERE i <> ALL (%(bad)s))
        WHERE id = %(window)s)
    UPDATE notifications SET status = 'rejected', detail = 'unreadable', status_at = %(now)s
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

log = structlog.get_logger()


class _Claimed(NamedTuple):
    """Rows that are alike: of one attempt, sender ID and pack, and with the same parts taken."""

    ids: list[int]
    attempt: int
    sender_id: str
    pack: int | None
    taken: frozenset[int] = frozenset()


class Claims:
    """One process's claims; each names the window it opens."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._packs = Packs(seal)
        self._windows = itertools.count(secrets.randbits(62))
        # windows whose claim may have been committed, or may yet be; each lane has its thread
        self._unheard: dict[int, datetime] = {}
        self._block = dict.fromkeys(Lane, 1.0)  # ids a block held of late

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
            found = None
            while found is None:  # a round that opened nothing is committed by itself
                found = self._database.run_once(
                    lambda link: self._round(link, values, unheard, lane)
                )
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
        self, connection: Connection, values: dict[str, Any], unheard: list[int], lane: Lane
    ) -> list[Submission] | None:
        """What was opened; None when all that was taken ended instead."""
        fence = (values["channel"], values["bind"], values["epoch"])
        if first(connection, _FENCE, fence) is None:
            raise Fenced
        if unheard:
            connection.execute(_GIVE_BACK, (unheard,))
        cursor = connection.cursor(binary=True)
        blocks = cursor.execute(_TAKE, values).fetchall()
        if not blocks:
            return []
        ids = [number for (block,) in blocks for number in block]
        self._block[lane] = len(ids) / len(blocks)
        claimed = _claimed(cursor, values, ids)
        if not claimed:
            return None
        found, bad = self._submissions(cursor, claimed, values["window"])
        if bad:
            log.error("claim.unreadable", channel=values["channel"], rows=len(bad))
            connection.execute(_UNREADABLE, {**values, "bad": bad})
        if len(claimed) > 1:  # in the order in which they were taken
            places = {number: place for place, number in enumerate(ids)}
            found.sort(key=lambda row: places[row.id])
        return found or None

    def _submissions(
        self, cursor: Any, claimed: list[_Claimed], window: int
    ) -> tuple[list[Submission], list[int]]:
        """What is submitted, and the ids of those whose contents cannot be opened."""
        found: list[Submission] = []
        bad: list[int] = []
        packs = self._packs.opened(cursor, {one.pack for one in claimed if one.pack is not None})
        alone = [number for one in claimed if one.pack is None for number in one.ids]
        apart = self._apart(cursor, alone) if alone else {}
        for one in claimed:
            contents = apart if one.pack is None else packs[one.pack]
            for number in one.ids:
                content = contents.get(number)
                if content is None:
                    bad.append(number)
                    continue
                found.append(
                    Submission(number, one.attempt, *content, one.sender_id, window, one.taken)
                )
        return found, bad

    def _apart(self, cursor: Any, ids: list[int]) -> Pack:
        """Contents that lie in no pack."""
        msisdn_of, text_of = self._seal.opener(MSISDN), self._seal.opener(TEXT)
        found: dict[int, tuple[Msisdn, str]] = {}
        for number, msisdn, text in cursor.execute(_CONTENTS, (as_array(ids),)).fetchall():
            with suppress(ValueError):  # Unsealable and NotAnMsisdn among them
                found[number] = Msisdn(msisdn_of(msisdn)), text_of(text)
        return found


def _claimed(cursor: Any, values: dict[str, Any], ids: list[int]) -> list[_Claimed]:
    """Journals what may leave of those ids; what may not is ended, or queued for later."""
    plain = cursor.execute(_PLAIN, {**values, "ids": as_array(ids)}).fetchall()
    claimed = [_Claimed(some, 1, sender_id, pack) for sender_id, pack, some in plain]
    others = set(ids).difference(*(one.ids for one in claimed))
    if others:
        listed = as_array(sorted(others))
        cursor.execute(_LOCK_DOUBTS, {"ids": listed})
        for number, *row, taken in cursor.execute(_OPEN, {**values, "ids": listed}).fetchall():
            attempt, sender_id, pack = row
            claimed.append(_Claimed([number], attempt, sender_id, pack, frozenset(taken or ())))
    return claimed
