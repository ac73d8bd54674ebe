"""Knows which rows may leave that are no plain ones: tried before, or of an MSISDN that got others
lately or wants none, or too old. What may not is ended, or queued for later."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from ussdapp.stores.database import as_array
from ussdapp.stores.queue import AGAIN

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
    SELECT c.id, c.attempt, c.sender_id, c.pack_id, c.expires_at,
        CASE WHEN c.attempt > 1 THEN ARRAY(
            SELECT DISTINCT part FROM submits s WHERE s.notification_id = c.id AND s.told) END
    FROM checked c WHERE c.hindrance IS NULL
"""
)
# A late answer of a first copy in doubt waits for the claim of the second, or the claim for it.
_LOCK_DOUBTS: Final = """
    SELECT FROM doubts d JOIN notifications n ON n.id = d.notification_id
    WHERE d.notification_id = ANY (%(ids)s::text::bigint[]) ORDER BY n.id FOR NO KEY UPDATE OF n
"""


class Claimed(NamedTuple):
    """Rows that are alike: of one attempt, sender ID, pack and time to expire, and with the same
    parts taken."""

    ids: list[int]
    attempt: int
    sender_id: str
    pack: int | None
    expires_at: datetime
    taken: frozenset[int] = frozenset()


def checked(cursor: Any, values: dict[str, Any], ids: list[int]) -> list[Claimed]:
    """Journals those that may leave; `values` are the claim's."""
    values = {**values, "ids": as_array(ids)}
    cursor.execute(_LOCK_DOUBTS, values)
    found = cursor.execute(_OPEN, values).fetchall()
    return [
        Claimed([number], attempt, sender_id, pack, expires_at, frozenset(taken or ()))
        for number, attempt, sender_id, pack, expires_at, taken in found
    ]
