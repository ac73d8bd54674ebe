"""Knows the institutions."""

from collections.abc import Sequence
from typing import Final

from ussdapp.core.inbound import Institution
from ussdapp.stores.database import Connection, Database, first, rows

_ALL: Final = "SELECT short_name, name_sw, name_en, sector FROM institutions ORDER BY short_name"


class PgInstitutions:
    """Keeps ports.Institutions."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
