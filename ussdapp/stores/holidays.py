"""Knows Tanzania's holidays: those of a file, and what staff changed of them."""

import tomllib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, rows

FILE: Final = Path(__file__).with_name("holidays.toml")
_CHANGES: Final = "SELECT day, name FROM holiday_changes"
_CHANGE: Final = """
    INSERT INTO holiday_changes (day, name, changed_at) VALUES (%s, %s, %s)
    ON CONFLICT (day) DO UPDATE SET name = excluded.name, changed_at = excluded.changed_at
"""


class Holiday(NamedTuple):
    """A day on which offices are shut."""

    day: date
    name: str


class PgHolidays:
    """All raise Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Holiday]:
        """Every holiday that is known, the first first."""
        return self._database.run(known)

    def days(self) -> frozenset[date]:
        """The days alone."""
        return frozenset(one.day for one in self.all())

    def change(self, day: date, name: str, by: str, at: datetime) -> None:
        """Makes a day a holiday of that name, or with "" none."""

        def work(connection: Connection) -> None:
            connection.execute(_CHANGE, (day, name, at))
            action = "holiday.added" if name else "holiday.removed"
            audit.note(connection, at, by, action, day.isoformat())

        self._database.run_once(work)


def known(connection: Connection) -> list[Holiday]:
    """Every holiday, as this transaction sees them."""
    changes: dict[date, str] = dict(rows(connection, _CHANGES))
    return [Holiday(day, name) for day, name in sorted((given() | changes).items()) if name]


@cache
def given() -> dict[date, str]:
    """Those of the file, by day."""
    years = tomllib.loads(FILE.read_text("utf-8")).values()
    return {date.fromisoformat(day): name for year in years for day, name in year.items()}
