"""Knows which signed requests were seen. In PostgreSQL, not in Redis: a fail-over that lost a
nonce would let its request pass again."""

from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.signing import SKEW_S
from ussdapp.stores.database import Connection, Database, first

# from the earliest clock that takes a request to the latest one, and as much again
KEPT: Final = timedelta(seconds=4 * SKEW_S)
# whoever keeps one clears a few away, so that nobody has to
_KEEP: Final = """
    WITH gone AS (
        DELETE FROM nonces WHERE ctid = ANY (ARRAY(SELECT ctid FROM nonces
            WHERE seen_at < %(at)s - %(kept)s LIMIT 10 FOR UPDATE SKIP LOCKED)))
    INSERT INTO nonces (key_id, nonce, seen_at) VALUES (%(key_id)s, %(nonce)s, %(at)s)
    ON CONFLICT DO NOTHING RETURNING true
"""


class PgNonces:
    """Keeps each nonce of a key until no clock takes its request any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_new(self, key_id: int, nonce: str, at: datetime) -> bool:
        """Commits it; False where the key used it before. Raises Unavailable, and then whoever
        asked must sign anew: it may have been kept."""
        values = {"key_id": key_id, "nonce": nonce, "at": at, "kept": KEPT}

        def work(connection: Connection) -> bool:
            return first(connection, _KEEP, values) is not None

        return self._database.run_once(work)
