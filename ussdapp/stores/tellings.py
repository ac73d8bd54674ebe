"""Knows the events on their way to webhooks: what became final, which are due, how posts ended."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import structlog

from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import FINAL
from ussdapp.core.webhook import (
    GIVEN_UP_AFTER,
    NOTIFICATION_FINAL,
    DeliveryStatus,
    Endpoint,
    Event,
    Posted,
)
from ussdapp.stores.database import Connection, Database, columns, first, rows
from ussdapp.stores.histories import SENT_BY_IT
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal, Unsealable
from ussdapp.stores.told_facts import Facts
from ussdapp.stores.webhooks import SECRET, URL, good_secrets, message_id

_GRACE: Final = timedelta(minutes=10)  # for the last try of what is about to be given up
LEASE: Final = timedelta(seconds=30)  # after which another process may take a webhook over
KEPT: Final = timedelta(days=10)
_BLOCKS: Final = 1000  # looked at in one statement, and no more octets of ids than this:
_OCTETS: Final = 200_000
_MOST_FORGOTTEN: Final = 5000  # in one statement
# What is final is told of and leaves its block; what is no more (retention) leaves it as well. A
# block in which something moved is looked at again sooner than one that rests. OFFSET 0, because
# thousands of ids look like much of the table to the planner, and are not.
_LOOK: Final = (
    """
    WITH due AS MATERIALIZED (
        SELECT u.id, u.institution_id, u.begun_at, u.ids FROM untold u JOIN (
            SELECT id, sum(pg_column_size(ids)) OVER (ORDER BY look_at, id) AS so_far
            FROM untold WHERE look_at <= %(now)s ORDER BY look_at, id LIMIT %(most)s) p USING (id)
        WHERE so_far <= %(octets)s AND u.look_at <= %(now)s FOR UPDATE OF u SKIP LOCKED),
    hooks AS MATERIALIZED (
        SELECT id, institution_id, live FROM webhooks
        WHERE 'notification.final' = ANY (events) AND off_at IS NULL),
    each AS MATERIALIZED (
        SELECT d.id AS block, d.institution_id, n.id, n.status_at, n.channel, n.final,
            CASE WHEN n.final THEN true"""  # noqa: S608
    + SENT_BY_IT
    + """END AS by_it
        FROM due d CROSS JOIN LATERAL unnest(d.ids) AS i (number)
        CROSS JOIN LATERAL (SELECT *, status = ANY (%(final)s) AS final FROM notifications
            WHERE id = i.number OFFSET 0) n),
    told AS (
        INSERT INTO deliveries (webhook_id, type, subject, at, due_at)
        SELECT h.id, %(type)s, e.id, e.status_at, e.status_at
        FROM each e JOIN hooks h USING (institution_id)
        WHERE e.final AND e.by_it AND (h.live OR e.channel = %(simulated)s) ORDER BY e.status_at),
    rest AS MATERIALIZED (
        SELECT d.id, array_agg(e.id ORDER BY e.id) FILTER (WHERE NOT e.final) AS ids,
            coalesce(bool_or(e.final), false) AS moved,
            d.institution_id IN (SELECT institution_id FROM hooks) AS wanted, d.begun_at
        FROM due d LEFT JOIN each e ON e.block = d.id GROUP BY d.id, d.institution_id, d.begun_at),
    gone AS (
        DELETE FROM untold u USING rest r WHERE u.id = r.id AND (r.ids IS NULL OR NOT r.wanted)),
    stays AS (
        UPDATE untold u SET ids = r.ids, look_at = %(now)s + greatest(interval '1 s',
            least(interval '10 min', (%(now)s - r.begun_at) / CASE WHEN moved THEN 16 ELSE 4 END))
        FROM rest r WHERE u.id = r.id AND r.ids IS NOT NULL AND r.wanted)
    SELECT count(*) FROM due
"""
)
# One of each institution at a time, so that who has many gets no more turns.
_TAKE: Final = """
    UPDATE webhooks w SET held_until = %(until)s
    FROM (SELECT id FROM webhooks WHERE held_until <= %(now)s AND id IN (
            SELECT DISTINCT ON (h.institution_id) h.id
            FROM webhooks h JOIN institutions i ON i.id = h.institution_id
            WHERE h.off_at IS NULL AND h.held_until <= %(now)s AND i.short_name <> ALL (%(busy)s)
                AND EXISTS (SELECT FROM deliveries d WHERE d.webhook_id = h.id
                    AND d.status = 'waiting' AND d.due_at <= %(now)s)
            ORDER BY h.institution_id, h.held_until)
        ORDER BY held_until LIMIT %(most)s FOR UPDATE SKIP LOCKED) t, institutions i
    WHERE w.id = t.id AND i.id = w.institution_id
    RETURNING w.id, i.short_name, w.name, w.url_sealed, w.secret_sealed, w.former_sealed,
        w.rotated_at, w.failures, w.held_until
"""
_WINDOW: Final = """
    SELECT id, type, at, tries, subject, data FROM deliveries
    WHERE webhook_id = %s AND status = 'waiting' AND due_at <= %s ORDER BY due_at LIMIT %s
"""
_RECORD: Final = """
    UPDATE deliveries d SET status = t.status, detail = t.detail, tries = d.tries + 1,
        due_at = coalesce(t.due_at, d.due_at), tried_at = %(now)s
    FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(details)s::text[],
        %(dues)s::timestamptz[]) AS t (id, status, detail, due_at)
    WHERE d.id = t.id AND d.status = 'waiting'
"""
# `until` names the lease: who lost it, or whose webhook was changed meanwhile, decides nothing.
_RELEASE: Final = """
    UPDATE webhooks SET held_until = %(held)s, failures = %(failures)s
    WHERE id = %(id)s AND held_until = %(until)s
"""
_SWITCH_OFF: Final = """
    UPDATE webhooks SET off_at = %(now)s, detail = %(detail)s
    WHERE id = %(id)s AND held_until = %(until)s
"""
_GIVE_UP: Final = """
    UPDATE deliveries SET status = 'given_up' WHERE id IN (
        SELECT o.id FROM webhooks w CROSS JOIN LATERAL (
            SELECT id FROM deliveries d WHERE d.webhook_id = w.id AND d.status = 'waiting'
                AND (w.off_at IS NOT NULL OR (d.due_at < %(now)s AND d.at < %(before)s))
            LIMIT %(most)s) o
        LIMIT %(most)s)
"""
_FORGET: Final = """
    DELETE FROM deliveries WHERE id IN (SELECT id FROM (
        SELECT id, at FROM deliveries ORDER BY id LIMIT %(most)s) o WHERE at < %(before)s)
"""

log = structlog.get_logger()


class PgTellings:
    """Keeps ports.Tellings. All raise Unavailable."""

    def __init__(self, database: Database, seal: Seal, ids: PublicIds, facts: Facts) -> None:
        """`ids` are those of events."""
        self._database = database
        self._seal = seal
        self._ids = ids
        self._facts = facts

    def look(self, now: datetime) -> bool:
        """Writes the events of what became final, some blocks of it; tells whether there may be
        more."""
        values = {
            "now": now,
            "most": _BLOCKS,
            "octets": _OCTETS,
            "final": sorted(status.value for status in FINAL),
            "type": NOTIFICATION_FINAL,
            "simulated": SIMULATED,
        }
        row = self._database.run(lambda link: first(link, _LOOK, values))
        return row is not None and row[0] > 0

    def take(self, now: datetime, most: int, busy: Collection[str] = ()) -> list[Endpoint]:
        """Commits up to `most` webhooks with due events as this process's, for LEASE: at most one
        of each institution, and none of those that are busy. One that cannot be opened is left
        alone for as long: the others are told."""
        values = {"now": now, "most": most, "until": now + LEASE, "busy": list(busy)}
        found = self._database.run_once(lambda link: rows(link, _TAKE, values))
        taken = [self._endpoint(row, now) for row in found]
        return [endpoint for endpoint in taken if endpoint]

    def window(self, endpoint: Endpoint, now: datetime, most: int) -> list[Event]:
        """Its due events, those that are due longest first. What is about something that is no more
        kept, no more its institution's, or cannot be opened, is given up."""
        values = (endpoint.id, now, most)

        def work(connection: Connection) -> list[Event]:
            found = rows(connection, _WINDOW, values)
            subjects = [(row[1], row[4]) for row in found if row[4]]
            facts = self._facts.of(connection, endpoint.institution, subjects)
            told = [(row, facts.get((row[1], row[4])) if row[4] else row[5]) for row in found]
            lost = [
                _lost(row[0], "unreadable" if (row[1], row[4]) in facts else "forgotten")
                for row, fact in told
                if fact is None
            ]
            _record(connection, lost, now)
            return [self._event(row, fact) for row, fact in told if fact is not None]

        return self._database.run(work)

    def record(
        self, endpoint: Endpoint, done: Sequence[Posted], now: datetime, held: timedelta | None
    ) -> None:
        """Commits how the posts of a window ended, and gives the webhook back: at once, or, where
        nothing of the window was taken, after it was left alone for that time."""
        values = {
            "id": endpoint.id,
            "until": endpoint.until,
            "held": now + (held or timedelta()),
            "failures": _failures(endpoint, done, held),
        }

        def work(connection: Connection) -> None:
            _record(connection, done, now)
            connection.execute(_RELEASE, values)

        self._database.run(work)

    def switch_off(self, endpoint: Endpoint, detail: str, now: datetime) -> None:
        """It is told nothing more until its institution puts it anew."""
        values = {"id": endpoint.id, "until": endpoint.until, "detail": detail, "now": now}
        self._database.run(lambda link: link.execute(_SWITCH_OFF, values) and None)

    def sweep(self, now: datetime) -> None:
        """Gives up what nobody can be told any more and forgets what is old, some of each."""
        before = now - GIVEN_UP_AFTER - _GRACE
        values = {"now": now, "before": before, "most": _MOST_FORGOTTEN}
        self._until_few(_GIVE_UP, values)
        self._until_few(_FORGET, {"before": now - KEPT, "most": _MOST_FORGOTTEN})

    def _until_few(self, query: LiteralString, values: dict[str, Any]) -> None:
        def work(connection: Connection) -> int:
            return connection.execute(query, values).rowcount

        while self._database.run(work) >= _MOST_FORGOTTEN:
            pass

    def _endpoint(self, row: tuple[Any, ...], now: datetime) -> Endpoint | None:
        number, institution, name, url, secret, former, rotated_at, failures, until = row
        try:
            opened = good_secrets(self._seal.opener(SECRET), (secret, former, rotated_at), now)
            shown = self._seal.open_text(url, URL)
        except Unsealable:
            log.error("webhook.unreadable", institution=institution, webhook=name)  # noqa: TRY400 (it has one cause)
            return None
        return Endpoint(number, institution, name, shown, opened, until, failures)

    def _event(self, row: tuple[Any, ...], facts: Mapping[str, Any]) -> Event:
        number, kind, at, tries = row[:4]
        return Event(number, message_id(self._ids, number), kind, at, tries, facts)


def _failures(endpoint: Endpoint, done: Sequence[Posted], held: timedelta | None) -> int:
    if held:
        return endpoint.failures + 1
    return 0 if done else endpoint.failures


def _lost(number: int, why: str) -> Posted:
    return Posted(number, DeliveryStatus.GIVEN_UP, why)


def _record(connection: Connection, done: Sequence[Posted], now: datetime) -> None:
    if not done:
        return
    table = [(one.id, one.status.value, one.detail, one.due_at) for one in done]
    ids, statuses, details, dues = columns(table, 4)
    values = {"ids": ids, "statuses": statuses, "details": details, "dues": dues, "now": now}
    connection.execute(_RECORD, values)
