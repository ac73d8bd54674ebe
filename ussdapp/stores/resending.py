"""Knows how what is in doubt gets its one further copy: by itself, or by a person's decision."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ussdapp.core.notification import MOST_COPIES, RESENT_AFTER, Class
from ussdapp.core.standing import DOWN
from ussdapp.core.status import Status
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.queue import AGAIN

# An urgent one goes by another route where its own is down (faults.md D5): what became of its
# first copy is still looked for on the channel of that attempt.
_RESEND: Final = (
    """
    WITH others AS MATERIALIZED (
        SELECT f.channel, f.fallback
        FROM unnest(%(channels)s::text[], %(fallbacks)s::text[]) AS f (channel, fallback)
        WHERE EXISTS (SELECT FROM leases WHERE channel = f.fallback AND bound_at > %(down)s)
            AND NOT EXISTS (SELECT FROM leases WHERE channel = f.channel AND bound_at > %(down)s)),
    waited AS (
        SELECT n.id FROM doubts d JOIN notifications n ON n.id = d.notification_id
        WHERE n.status = 'in_doubt' AND NOT n.resent AND n.class = %(class)s
            AND n.copies < %(most)s AND n.status_at <= %(since)s
            AND (%(id)s::bigint IS NULL OR n.id = %(id)s)
            AND NOT EXISTS (SELECT FROM bulks b WHERE b.id = n.bulk_id AND b.status = 'stopped')
        ORDER BY n.id FOR UPDATE OF n SKIP LOCKED),
    moved AS (
        UPDATE notifications n SET status = 'queued', status_at = %(now)s, detail = %(detail)s,
            due_at = %(now)s, resent = true, begun = false, waited = false,
            channel = coalesce((SELECT o.fallback FROM others o
                WHERE o.channel = n.channel AND n.class = 'urgent'), n.channel)
        FROM waited w WHERE n.id = w.id
        RETURNING n.id, n.channel, n.rank, n.institution_id, n.bulk_id)
"""  # noqa: S608
    + AGAIN
    + """
    FROM (SELECT channel, rank, coalesce(institution_id, 0) AS institution_id,
            coalesce(bulk_id, 0) AS bulk_id, %(now)s::timestamptz AS due_at,
            array_agg(id ORDER BY id) AS ids
        FROM moved GROUP BY 1, 2, 3, 4) e
    RETURNING cardinality(ids)
"""
)
_STANDS: Final = """
    SELECT status, class, resent, copies, expires_at FROM notifications
    WHERE id = %s FOR UPDATE
"""
_LEAVE: Final = "UPDATE notifications SET detail = 'left_by_person' WHERE id = %s"


class NotSettled(ValueError):
    """It is not a person's to decide; the message says why."""


def resent(connection: Connection, fallbacks: Mapping[str, str], now: datetime) -> int:
    """Queues once more what is in doubt and due for the one further copy of its class; returns
    how many."""
    found: list[tuple[Any, ...]] = []
    for klass, after in RESENT_AFTER.items():
        values = _values(klass, now, "resent_once") | {
            "since": now - after,
            "channels": list(fallbacks),
            "fallbacks": list(fallbacks.values()),
        }
        found += rows(connection, _RESEND, values)
    return sum(row[0] for row in found)


class Settling:
    """A person decides about one transaction in doubt: who and why are audited."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resend(self, number: int, by: str, because: str, now: datetime) -> None:
        """Queues its one further copy. Raises NotSettled, Unavailable."""

        def work(link: Connection) -> None:
            _check(link, number, now)
            values = _values(Class.TRANSACTION, now, "resent_by_person")
            if not rows(link, _RESEND, {**values, "id": number, "since": now}):
                raise NotSettled("its bulk was stopped")
            audit.note(link, now, by, "notification.resent", f"{number}: {because}")

        self._database.run(work)

    def leave(self, number: int, by: str, because: str, now: datetime) -> None:
        """It stays in doubt until a receipt settles it. Raises NotSettled, Unavailable."""

        def work(link: Connection) -> None:
            _check(link, number, None)
            link.execute(_LEAVE, (number,))
            audit.note(link, now, by, "notification.left", f"{number}: {because}")

        self._database.run(work)


def _check(connection: Connection, number: int, now: datetime | None) -> None:
    """Raises NotSettled; `now` where it would be submitted again."""
    row = first(connection, _STANDS, (number,))
    if row is None:
        raise NotSettled("there is none of that number")
    status, klass, again, copies, expires_at = row
    if status != Status.IN_DOUBT.value:
        raise NotSettled(f"it is {status}, and nothing is to be decided")
    if klass != Class.TRANSACTION.value:
        raise NotSettled(_OTHERS[Class(klass)])
    if now is not None and (again or copies >= MOST_COPIES):
        raise NotSettled(f"{MOST_COPIES} copies of it were submitted, and there are never more")
    if now is not None and expires_at <= now:
        raise NotSettled("its time is over, and what is too old is never submitted")


_OTHERS: Final[Mapping[Class, str]] = {
    Class.URGENT: "it is urgent, and its one further copy is submitted by itself",
    Class.RECEIPT: "it is a receipt, and its one further copy is submitted by itself",
    Class.BULK: "it is of class bulk, which is never submitted again",
}


def _values(klass: Class, now: datetime, detail: str) -> dict[str, Any]:
    return {
        "class": klass.value,
        "most": MOST_COPIES,
        "now": now,
        "down": now - DOWN,
        "detail": detail,
        "id": None,
        "channels": [],
        "fallbacks": [],
    }
