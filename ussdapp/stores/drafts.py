"""Knows in which dialogues a citizen was offered to go on where an earlier one had dropped."""

from datetime import datetime
from typing import Final

from ussdapp.stores.database import Database, first

# A lost offer costs a citizen whose record is lost as well a wrong screen, so it need not wait
# for the disk.
_MAKE: Final = """
    WITH swift AS (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO offers (session_key, made_at) SELECT %s, %s FROM swift
    ON CONFLICT (session_key) DO UPDATE SET made_at = excluded.made_at
"""


class PgOffers:
    """Keeps ports.Offers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, key: str, at: datetime) -> None:
        """Records that this dialogue began with an offer."""
        self._database.run(lambda connection: connection.execute(_MAKE, (key, at)))

    def made(self, key: str) -> bool:
        """Whether it did."""
        query = "SELECT made_at FROM offers WHERE session_key = %s"
        return self._database.run(lambda connection: first(connection, query, (key,))) is not None
