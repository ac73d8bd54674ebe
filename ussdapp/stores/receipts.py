"""Knows the inbox of receipts, and how they move notifications: forward only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.inbound import Receipt
from ussdapp.core.status import FAILURES, Status, receipted, sources
from ussdapp.stores.database import Connection, Database, columns, rows
from ussdapp.stores.seal import Seal

_MOST: Final = 1000  # receipts applied in one transaction
_EARLY: Final = timedelta(seconds=2)  # a receipt may outrun its submit's recorded answer
_KEPT: Final = timedelta(hours=72)  # how long one that matches nothing is looked at again
_SILENT_PARTS: Final = timedelta(seconds=60)  # some operators receipt one part of several
_KEEP: Final = """
    INSERT INTO receipts (account, message_id, status, code, msisdn_index, received_at)
    SELECT t.*, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[]) AS t
"""
# The newest submit with that id: an SMSC may begin its ids again (operator_quirks.md, faults 55).
_MATCH: Final = """
    SELECT r.id, r.status, s.notification_id, s.attempt, s.part
    FROM receipts r CROSS JOIN LATERAL (
        SELECT notification_id, attempt, part FROM submits
        WHERE account = r.account AND message_id = r.message_id
        ORDER BY submitted_at DESC LIMIT 1) s
    WHERE r.applied_at IS NULL AND r.received_at > %s
    ORDER BY r.id LIMIT %s FOR UPDATE OF r SKIP LOCKED
"""
# A receipt whose id was never told, because its answer was lost: it is the one notification in
# doubt to that MSISDN, or it stays parked (faults.md D4, 4).
_GUESS: Final = """
    WITH parked AS (
        SELECT r.id, r.account, r.message_id, n.id AS notification FROM receipts r
        CROSS JOIN LATERAL (
            SELECT min(n.id) AS id FROM notifications n
            WHERE n.msisdn_index = r.msisdn_index AND n.channel = r.account
                AND n.status IN ('in_doubt', 'submitting')
            HAVING count(*) = 1 AND bool_and(n.status = 'in_doubt')) n
        WHERE r.applied_at IS NULL AND r.received_at BETWEEN %(oldest)s AND %(newest)s
            AND NOT EXISTS (SELECT FROM submits s
                WHERE s.account = r.account AND s.message_id = r.message_id)
        ORDER BY r.id LIMIT %(most)s FOR UPDATE OF r SKIP LOCKED)
    INSERT INTO submits (notification_id, attempt, part, account, message_id, submitted_at)
    SELECT n.id, n.attempts,
        (SELECT count(*) FROM submits s WHERE (s.notification_id, s.attempt) = (n.id, n.attempts))
            + row_number() OVER (PARTITION BY n.id ORDER BY p.id),
        p.account, p.message_id, %(now)s
    FROM parked p JOIN notifications n ON n.id = p.notification
    ON CONFLICT DO NOTHING
"""
_APPLY: Final = """
    WITH matched AS (
        SELECT * FROM unnest(%(receipts)s::bigint[], %(statuses)s::text[], %(ids)s::bigint[],
            %(attempts)s::smallint[], %(parts)s::smallint[])
        AS t (receipt, status, notification_id, attempt, part)),
    spent AS (
        UPDATE receipts SET applied_at = %(now)s FROM matched WHERE receipts.id = matched.receipt)
    UPDATE submits s SET receipt = m.status
    FROM (SELECT DISTINCT ON (notification_id, attempt, part) * FROM matched
        ORDER BY notification_id, attempt, part, (status = ANY (%(final)s)) DESC, receipt) m
    WHERE (s.notification_id, s.attempt, s.part) = (m.notification_id, m.attempt, m.part)
        AND (s.receipt IS NULL OR NOT s.receipt = ANY (%(final)s)) AND m.status <> 'in_doubt'
"""
# The worst part of the newest copy decides; any copy that arrived whole is delivered.
_STATES: Final = """
    SELECT n.id, n.status, n.parts, n.attempts,
        array_agg(s.attempt ORDER BY s.attempt), array_agg(s.receipt ORDER BY s.attempt)
    FROM (SELECT id, status, parts, attempts FROM notifications WHERE id = ANY (%s)
        ORDER BY id FOR UPDATE) n
    JOIN submits s ON s.notification_id = n.id WHERE s.receipt IS NOT NULL
    GROUP BY n.id, n.status, n.parts, n.attempts
"""
_MOVE: Final = """
    UPDATE notifications SET status = %(status)s, status_at = %(now)s, detail = 'receipt'
    WHERE id = ANY (%(ids)s) AND status = ANY (%(sources)s)
"""
_IN_PART: Final = """
    UPDATE notifications n SET parts_delivered = t.delivered
    FROM unnest(%s::bigint[], %s::smallint[]) AS t (id, delivered) WHERE n.id = t.id
"""
_REST_SILENT: Final = """
    SELECT id FROM notifications WHERE status = 'submitted' AND parts_delivered > 0
    AND status_at < %s LIMIT 1000
"""
_FINAL: Final = [status.value for status in (Status.DELIVERED, *FAILURES)]


class PgReceipts:
    """Keeps ports.Receipts."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Commits them as they came."""
        table = [
            (r.account, r.message_id, r.status.value, r.code,
             self._seal.index(r.msisdn) if r.msisdn else None)
            for r in receipts
        ]  # fmt: skip
        values = (at, *columns(table, 5))
        self._database.run(lambda connection: connection.execute(_KEEP, values) and None)

    def apply(self, now: datetime) -> int:
        """Moves notifications forward by what is not yet applied."""
        return self._database.run(lambda connection: _apply(connection, now))


def _apply(connection: Connection, now: datetime) -> int:
    oldest = now - _KEPT
    connection.execute(
        _GUESS, {"oldest": oldest, "newest": now - _EARLY, "most": _MOST, "now": now}
    )
    matched = rows(connection, _MATCH, (oldest, _MOST))
    if matched:
        names = ("receipts", "statuses", "ids", "attempts", "parts")
        values = dict(zip(names, columns(matched, len(names)), strict=True))
        connection.execute(_APPLY, {**values, "now": now, "final": _FINAL})
        _move(connection, sorted({row[2] for row in matched}), now)
    silent = [row[0] for row in rows(connection, _REST_SILENT, (now - _SILENT_PARTS,))]
    if silent:
        _moved(connection, silent, Status.DELIVERED, now)
    return len(matched)


def _move(connection: Connection, ids: list[int], now: datetime) -> None:
    in_part: list[tuple[int, int]] = []
    moves: dict[Status, list[int]] = {}
    for row in rows(connection, _STATES, (ids,)):
        told = list(zip(row[4], row[5], strict=True))
        status, delivered = receipted(row[2], row[3], told)
        moves.setdefault(status, []).append(row[0])
        if status is Status.SUBMITTED and delivered:
            in_part.append((row[0], delivered))
    for status, moved in moves.items():
        _moved(connection, moved, status, now)
    if in_part:
        connection.execute(_IN_PART, columns(in_part, 2))


def _moved(connection: Connection, ids: list[int], status: Status, now: datetime) -> None:
    values = {
        "ids": ids,
        "status": status.value,
        "sources": sources(status),
        "now": now,
    }
    connection.execute(_MOVE, values)
