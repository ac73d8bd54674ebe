"""Knows what grew too old where nobody claims it: on a channel that is down, or at night."""

from datetime import datetime, timedelta
from typing import Final

from ussdapp.stores.database import Connection, Database, rows

_CLAIMED_WITHIN: Final = timedelta(minutes=5)  # what is claimed is looked at there
_BLOCKS: Final = 20  # in one round
# What has an earlier copy in doubt is left to its claim.
_EXPIRE: Final = """
    WITH locked AS MATERIALIZED (
        SELECT id, ids FROM queue WHERE id > %(after)s AND due_at <= %(before)s
        ORDER BY id LIMIT %(blocks)s FOR UPDATE SKIP LOCKED),
    old AS MATERIALIZED (
        SELECT l.id AS block, n.id FROM locked l JOIN notifications n ON n.id = ANY (l.ids)
        WHERE n.status = 'queued' AND n.expires_at <= %(now)s AND NOT n.resent),
    ended AS (
        UPDATE notifications n SET status = 'expired', detail = 'expired', status_at = %(now)s
        FROM old WHERE n.id = old.id AND n.status = 'queued'),
    left_over AS MATERIALIZED (
        SELECT l.id, ARRAY(SELECT i FROM unnest(l.ids) AS i
            WHERE i NOT IN (SELECT o.id FROM old o WHERE o.block = l.id)) AS ids
        FROM locked l WHERE l.id IN (SELECT block FROM old)),
    gone AS (
        DELETE FROM queue q USING left_over l WHERE q.id = l.id AND cardinality(l.ids) = 0),
    narrowed AS (
        UPDATE queue q SET ids = l.ids FROM left_over l
        WHERE q.id = l.id AND cardinality(l.ids) > 0)
    SELECT (SELECT max(id) FROM locked), (SELECT count(*) FROM old)
"""


class PgExpiry:
    """Keeps ports.Expiry; goes round the queue, some blocks at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._after = 0

    def expire(self, now: datetime) -> int:
        """Ends what is too old of a few blocks; returns how many notifications."""

        def work(connection: Connection) -> tuple[int, int]:
            values = {
                "after": self._after,
                "before": now - _CLAIMED_WITHIN,
                "blocks": _BLOCKS,
                "now": now,
            }
            ((last, ended),) = rows(connection, _EXPIRE, values)
            return int(last or 0), int(ended)

        self._after, ended = self._database.run(work)
        return ended
