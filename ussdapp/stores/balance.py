"""Knows the promise as arithmetic: accepted is the sum of the states, in all and by institution."""

from dataclasses import dataclass
from typing import Final

from ussdapp.stores.database import Connection, Database, rows

_COUNTS: Final = """
    SELECT coalesce(i.short_name, '-'), n.status, count(*)
    FROM notifications n LEFT JOIN institutions i ON i.id = n.institution_id
    GROUP BY 1, 2 ORDER BY 1, 2
"""
# Each row is a sentence when it is not zero.
_TROUBLES: Final = """
    SELECT 'attempts without a notification', count(*) FROM attempts a
        WHERE NOT EXISTS (SELECT FROM notifications n WHERE n.id = a.notification_id)
    UNION ALL SELECT 'notifications whose attempts are not all journaled', count(*)
        FROM notifications n WHERE attempts <>
            (SELECT count(*) FROM attempts a WHERE a.notification_id = n.id)
    UNION ALL SELECT 'notifications submitted without an attempt', count(*) FROM notifications
        WHERE attempts = 0 AND status IN ('submitting', 'submitted', 'delivered', 'undelivered',
            'in_doubt')
    UNION ALL SELECT 'copies beyond the class', count(*) FROM notifications
        WHERE copies > CASE class WHEN 'bulk' THEN 1 ELSE 2 END
    UNION ALL SELECT 'cases with no event', count(*) FROM cases c
        WHERE NOT EXISTS (SELECT FROM case_events e WHERE e.case_id = c.id)
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """What was accepted, by institution and status, and what does not add up."""

    institutions: dict[str, dict[str, int]]
    troubles: dict[str, int]

    @property
    def holds(self) -> bool:
        """Whether everything adds up."""
        return not self.troubles


def balance(database: Database) -> Balance:
    """Counts it in one snapshot."""

    def work(connection: Connection) -> Balance:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        institutions: dict[str, dict[str, int]] = {}
        for name, status, count in rows(connection, _COUNTS):
            institutions.setdefault(name, {})[status] = count
        found = rows(connection, _TROUBLES)
        return Balance(institutions, {what: count for what, count in found if count})

    return database.run(work)
