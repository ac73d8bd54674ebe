"""Knows how a bulk is stopped: its blocks leave the queue at once, and its rows end a block at a
time."""

from datetime import datetime
from typing import Final

from ussdapp.stores.database import Connection, first

_STOP: Final = """
    UPDATE bulks SET status = 'stopped', ended_at = %(now)s, code = 'stopped',
        detail = 'It was stopped.',
        released_at = coalesce(released_at, %(now)s), counted_at = coalesce(counted_at, %(now)s),
        counts = CASE WHEN released_at IS NULL THEN jsonb_build_object('queued', accepted)
            ELSE counts END
    WHERE id = %(id)s
"""
# From here on no claim finds them; the importing worker ends them, a block at a time.
_WITHDRAW: Final = """
    UPDATE queue SET channel = 'stopped:', due_at = '9999-01-01'
    WHERE bulk_id = %s AND channel <> 'stopped:'
"""
# What an operator deferred waits in blocks that are no bulk's. They are locked first, so that what
# is being claimed is not ended here.
_DEFERRED: Final = """
    WITH blocks AS MATERIALIZED (
        SELECT q.ids FROM queue q
        WHERE q.bulk_id = 0 AND q.institution_id IN (0, (
                SELECT institution_id FROM bulks WHERE id = %(id)s))
            AND EXISTS (SELECT FROM unnest(q.ids) AS i (number)
                JOIN notifications n ON n.id = i.number WHERE n.bulk_id = %(id)s)
        ORDER BY q.id FOR UPDATE OF q)
    UPDATE notifications n SET status_at = %(now)s, detail = '',
        status = CASE WHEN n.resent THEN 'in_doubt' ELSE 'stopped' END
    FROM (SELECT unnest(ids) AS id FROM blocks) b
    WHERE n.id = b.id AND n.bulk_id = %(id)s AND n.status = 'queued'
"""
_MOVING: Final = """
    SELECT 1 FROM windows w CROSS JOIN LATERAL unnest(w.ids) AS i (number)
    JOIN notifications n ON n.id = i.number WHERE n.bulk_id = %s LIMIT 1
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


def mark_stopped(connection: Connection, number: int, now: datetime) -> None:
    """It is stopped; its rows are not, yet."""
    connection.execute(_STOP, {"now": now, "id": number})


def withdraw(connection: Connection, number: int) -> None:
    """No claim finds its blocks from here on."""
    connection.execute(_WITHDRAW, (number,))


def end_deferred(connection: Connection, number: int, now: datetime) -> None:
    """Ends those of its rows that wait for another attempt."""
    connection.execute(_DEFERRED, {"id": number, "now": now})


def end_withdrawn(connection: Connection, now: datetime) -> bool:
    """Ends the rows of some blocks that were withdrawn; False when there is none."""
    row = first(connection, _ENDED, (now,))
    return bool(row and row[0])


def is_moving(connection: Connection, number: int) -> bool:
    """Whether any row of it is in an open window."""
    return first(connection, _MOVING, (number,)) is not None
