"""Knows the promise as arithmetic: accepted is the sum of the states, in all and by institution."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ussdapp.stores.database import Connection, Database, rows

_COUNTS: Final = """
    SELECT coalesce(i.short_name, '-'),
        CASE WHEN w.id IS NULL THEN n.status ELSE 'submitting' END, count(*)
    FROM notifications n LEFT JOIN institutions i ON i.id = n.institution_id
    LEFT JOIN (SELECT DISTINCT unnest(ids) AS id FROM windows) w
        ON w.id = n.id AND n.status = 'queued'
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_ACCEPTED: Final = """
    SELECT coalesce(i.short_name, '-'), sum(a.accepted)::bigint
    FROM acceptances a LEFT JOIN institutions i ON i.id = a.institution_id GROUP BY 1
"""
# Each row is a sentence when it is not zero.
_TROUBLES: Final = """
    SELECT 'attempts without a notification', count(*) FROM attempts a
        WHERE NOT EXISTS (SELECT FROM notifications n WHERE n.id = a.notification_id)
    UNION ALL SELECT 'notifications whose attempts are not all journaled', count(*)
        FROM notifications n LEFT JOIN (
            SELECT notification_id AS id, count(*) AS count FROM (
                SELECT notification_id, attempt FROM attempts
                UNION SELECT notification_id, attempt FROM submits) a GROUP BY 1) j USING (id)
        WHERE n.attempts <> coalesce(j.count, 0)
    UNION ALL SELECT 'notifications submitted without an attempt', count(*) FROM notifications
        WHERE attempts = 0 AND status IN ('submitted', 'delivered', 'undelivered', 'in_doubt')
    UNION ALL SELECT 'notifications queued nowhere, or twice', count(*)
        FROM notifications n LEFT JOIN (SELECT id, count(*) AS count FROM (
                SELECT unnest(ids) AS id FROM queue UNION ALL SELECT unnest(ids) FROM windows) q
            GROUP BY 1) q USING (id)
        WHERE n.status = 'queued' AND coalesce(q.count, 0) <> 1
    UNION ALL SELECT 'copies beyond the class', count(*) FROM notifications
        WHERE copies > CASE class WHEN 'bulk' THEN 1 ELSE 2 END
    UNION ALL SELECT 'cases with no event', count(*) FROM cases c
        WHERE NOT EXISTS (SELECT FROM case_events e WHERE e.case_id = c.id)
"""


@dataclass(frozen=True, slots=True)
class Account:
    """What an institution had accepted, and the states of what there is of it."""

    accepted: int
    states: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether nothing is missing and nothing too many."""
        return self.accepted == sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Balance:
    """The account of each institution and of all, and what else does not add up."""

    institutions: Mapping[str, Account]
    troubles: Mapping[str, int]

    @property
    def whole(self) -> Account:
        """All institutions together."""
        states: Counter[str] = Counter()
        for account in self.institutions.values():
            states.update(account.states)
        return Account(sum(a.accepted for a in self.institutions.values()), dict(states))

    @property
    def holds(self) -> bool:
        """Whether everything adds up."""
        return not self.troubles and all(a.holds for a in self.institutions.values())


def balance(database: Database) -> Balance:
    """Counts it in one snapshot."""

    def work(connection: Connection) -> Balance:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        states: dict[str, dict[str, int]] = {}
        for name, status, count in rows(connection, _COUNTS):
            states.setdefault(name, {})[status] = count
        accepted = {str(name): int(count) for name, count in rows(connection, _ACCEPTED)}
        accounts = {
            name: Account(accepted.get(name, 0), states.get(name, {}))
            for name in sorted({*accepted, *states})
        }
        found = rows(connection, _TROUBLES)
        return Balance(accounts, {what: count for what, count in found if count})

    return database.unlimited(work)
