"""Knows which dialogues began, and the language each citizen chose."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.seal import Seal

_REUSED_AFTER: Final = timedelta(minutes=10)
# A lost beginning only costs a citizen one more key before an effect, so it need not wait for
# the disk.
_BEGIN: Final = """
    WITH swift AS (SELECT set_config('synchronous_commit', 'off', true)),
    begun AS (
        INSERT INTO dialogues (session_key, channel, began_at)
        SELECT %(key)s, %(channel)s, %(at)s FROM swift
        ON CONFLICT (session_key) DO UPDATE SET began_at = excluded.began_at
            WHERE dialogues.began_at < excluded.began_at - %(reused)s)
    SELECT language FROM citizens WHERE msisdn_index = %(msisdn)s
"""
_SPEAKING: Final = """
    SELECT msisdn_index FROM citizens WHERE msisdn_index = ANY (%s::bytea[]) AND language = %s
"""


class PgDialogues:
    """Keeps ports.Dialogues."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def begin(self, key: str, channel: str, msisdn: Msisdn, at: datetime) -> str:
        """Records the beginning; returns the citizen's language."""
        values = {
            "key": self._seal.effect(key),
            "channel": channel,
            "at": at,
            "reused": _REUSED_AFTER,
            "msisdn": self._seal.index(msisdn),
        }
        row = self._database.run(lambda connection: first(connection, _BEGIN, values))
        return str(row[0]) if row else "sw"

    def began_at(self, key: str) -> datetime | None:
        """When that dialogue began."""
        query = "SELECT began_at FROM dialogues WHERE session_key = %s"
        row = self._database.run(
            lambda connection: first(connection, query, (self._seal.effect(key),))
        )
        return row[0] if row else None

    def language(self, msisdn: Msisdn, otherwise: str = "sw") -> str:
        """The remembered one, else that."""
        query = "SELECT language FROM citizens WHERE msisdn_index = %s"
        index = self._seal.index(msisdn)
        row = self._database.run(lambda connection: first(connection, query, (index,)))
        return str(row[0]) if row else otherwise

    def speaking(self, language: str, msisdns: Collection[Msisdn]) -> frozenset[Msisdn]:
        """Those of them who chose that language."""
        by_index = {self._seal.index(msisdn): msisdn for msisdn in msisdns}
        values = (list(by_index), language)
        found = self._database.run(lambda connection: rows(connection, _SPEAKING, values))
        return frozenset(by_index[bytes(row[0])] for row in found)

    def remember_language(self, msisdn: Msisdn, language: str, at: datetime) -> None:
        """Remembers it for every later dialogue and text."""
        index = self._seal.index(msisdn)

        def work(connection: Connection) -> None:
            connection.execute(
                """INSERT INTO citizens (msisdn_index, language, updated_at) VALUES (%s, %s, %s)
                ON CONFLICT (msisdn_index) DO UPDATE
                SET language = excluded.language, updated_at = excluded.updated_at""",
                (index, language, at),
            )

        self._database.run(work)
