"""Knows how what is held of a bulk is queued, once all of it is checked and it may be sent."""

from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.notification import LIVES, Class
from ussdapp.stores.bulk_chunks import HELD
from ussdapp.stores.database import Connection, as_array, first, rows
from ussdapp.stores.queue import Flow, enqueue

_FRESH: Final = timedelta(minutes=10)  # until what was held is dated anew when it is queued
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


def release(connection: Connection, now: datetime, most: int) -> frozenset[str] | None:
    """Queues up to `most` blocks of one bulk; the channels of what is due now, None when there is
    nothing to queue."""
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
