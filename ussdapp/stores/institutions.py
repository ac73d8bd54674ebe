"""Knows the institutions and their API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ussdapp.core.inbound import Institution, KeyHolder
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.seal import Seal

_ALL: Final = "SELECT short_name, name_sw, name_en, sector FROM institutions ORDER BY short_name"
_HOLDER: Final = """
    SELECT k.id, i.short_name, k.live, k.scopes FROM keys k
    JOIN institutions i ON i.id = k.institution_id
    WHERE k.key_index = %(key)s AND k.revoked_at IS NULL AND k.live
        AND (k.expires_at IS NULL OR k.expires_at > %(at)s)
"""
_ISSUE: Final = """
    INSERT INTO keys (institution_id, name, key_index, live, scopes)
    SELECT id, %s, %s, %s, %s FROM institutions WHERE short_name = %s
"""


class PgInstitutions:
    """Keeps ports.Institutions."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def all(self) -> tuple[Institution, ...]:
        """Every institution by short name."""
        found = self._database.run(lambda connection: rows(connection, _ALL))
        return tuple(Institution(*row) for row in found)

    def named(self, short_name: str) -> str | None:
        """The short name as kept."""
        query = "SELECT short_name FROM institutions WHERE short_name = %s"
        values = (short_name.lower(),)
        row = self._database.run(lambda connection: first(connection, query, values))
        return str(row[0]) if row else None

    def holder(self, key: str, at: datetime) -> KeyHolder | None:
        """Whom the key speaks for."""
        values = {"key": self._seal.key_index(key), "at": at}
        row = self._database.run(lambda connection: first(connection, _HOLDER, values))
        return KeyHolder(row[0], row[1], row[2], frozenset(row[3])) if row else None

    def add(self, institutions: Sequence[Institution]) -> int:
        """Adds those whose short name is new; returns how many."""
        query = """INSERT INTO institutions (short_name, name_sw, name_en, sector)
            VALUES (%s, %s, %s, %s) ON CONFLICT (short_name) DO NOTHING"""

        def work(connection: Connection) -> int:
            cursor = connection.cursor()
            cursor.executemany(
                query,
                [(i.short_name, i.name_sw, i.name_en, i.sector) for i in institutions],
            )
            return cursor.rowcount

        return self._database.run(work)

    def issue_key(self, institution: str, name: str, key: str, scopes: Sequence[str]) -> None:
        """Keeps the digest of a live key. Raises LookupError for an unknown institution."""
        values = (name, self._seal.key_index(key), True, list(scopes), institution)

        def work(connection: Connection) -> None:
            if not connection.execute(_ISSUE, values).rowcount:
                raise LookupError(f"no institution has the short name {institution!r}")
            connection.execute(
                "INSERT INTO audit (at, actor, action, subject) VALUES (now(), %s, %s, %s)",
                ("command line", "key.issued", f"{institution}/{name}"),
            )

        self._database.run(work)
