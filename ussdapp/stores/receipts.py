"""Knows the inbox of receipts, and how they move notifications: forward only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.core.message_ids import Base, Found, Learnt, meant, sought
from ussdapp.core.status import FAILURES, PartReceipt, Status, receipted, sources
from ussdapp.stores.database import Connection, Database, columns, rows
from ussdapp.stores.id_bases import read_bases, write_bases
from ussdapp.stores.seal import Seal

_MOST: Final = 1000  # receipts applied in one transaction
_EARLY: Final = timedelta(seconds=2)  # a receipt may outrun its submit's recorded answer
_KEPT: Final = timedelta(hours=72)  # how long one that matches nothing is looked at again
_SKEW: Final = timedelta(minutes=5)  # between an operator's clock and ours
_SILENT_PARTS: Final = timedelta(seconds=60)  # some operators receipt one part of several
_KEEP: Final = """
    INSERT INTO receipts (account, message_id, message_keys, status, code, msisdn_index,
        submitted_on, received_at)
    SELECT t.account, t.message_id, ARRAY[t.same, t.as_hex, t.as_decimal], t.status, t.code,
        t.msisdn_index, t.submitted_on, %s
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::bytea[], %s::timestamptz[])
    AS t (account, message_id, same, as_hex, as_decimal, status, code, msisdn_index, submitted_on)
"""
# Every submit whose id a receipt may mean, the newest first: an SMSC may begin its ids again
# (operator_quirks.md, faults 55). One of a notification that is being submitted waits, or its
# answer would overlook it; one that was looked at in vain is looked at again only for a submit
# that it now can mean, so that it is in nobody's way.
_MATCH: Final = """
    SELECT r.id, r.account, r.status, r.received_at, s.*
    FROM receipts r CROSS JOIN LATERAL (
        SELECT s.notification_id, s.attempt, s.part,
            array_position(r.message_keys, s.message_key) - 1 AS base,
            s.message_id = r.message_id AS as_spelt, n.msisdn_index = r.msisdn_index AS same
        FROM submits s JOIN notifications n ON n.id = s.notification_id
        WHERE s.account = r.account AND s.message_key = ANY (r.message_keys)
            AND (r.parked = '' OR (n.msisdn_index = r.msisdn_index
                AND (s.message_id = r.message_id OR s.message_key = (SELECT
                    r.message_keys[array_position(%s::text[], b.base)]
                    FROM id_bases b WHERE b.account = r.account))))
        ORDER BY s.submitted_at DESC LIMIT 8) s
    WHERE r.applied_at IS NULL AND r.received_at > %s
    ORDER BY r.id LIMIT %s FOR UPDATE OF r SKIP LOCKED
"""
# A receipt whose id was never told, because its answer was lost: it came after that attempt was
# journaled, and fits one notification alone of all that wait for a receipt, which is in doubt; or
# it stays parked (faults.md D4, 4).
_GUESS: Final = """
    WITH doubtful AS MATERIALIZED (
        SELECT DISTINCT channel, msisdn_index FROM doubts),
    parked AS MATERIALIZED (
        SELECT r.* FROM doubtful d
        JOIN receipts r ON r.msisdn_index = d.msisdn_index AND r.account = d.channel
        WHERE r.applied_at IS NULL AND r.received_at BETWEEN %(oldest)s AND %(newest)s
            AND r.status <> 'in_doubt'
            AND NOT EXISTS (SELECT FROM submits s
                WHERE s.account = r.account AND s.message_key = ANY (r.message_keys))
        ORDER BY r.id LIMIT %(most)s FOR UPDATE OF r SKIP LOCKED),
    waiting AS (
        SELECT p.id AS receipt, n.id, n.status FROM parked p
        JOIN notifications n ON n.msisdn_index = p.msisdn_index AND n.channel = p.account
        WHERE n.status IN ('in_doubt', 'submitted')
            OR (n.status = 'queued' AND (n.resent OR EXISTS (
                SELECT FROM windows w WHERE n.id = ANY (w.ids))))),
    fits AS (
        SELECT p.id AS receipt, w.id, w.status, a.attempt FROM waiting w
        JOIN parked p ON p.id = w.receipt CROSS JOIN LATERAL (
            SELECT max(a.attempt) FILTER (WHERE a.outcome = 'in_doubt') AS attempt,
                count(*) AS fitting
            FROM journaled a WHERE a.notification_id = w.id
                AND p.received_at BETWEEN a.journaled_at AND a.journaled_at + %(kept)s
                AND (p.submitted_on IS NULL OR p.submitted_on
                    BETWEEN a.journaled_at - %(skew)s AND a.journaled_at + %(skew)s)) a
        WHERE a.fitting > 0),
    sole AS (
        SELECT receipt, min(id) AS id, min(attempt) AS attempt FROM fits GROUP BY receipt
        HAVING count(*) = 1 AND bool_and(status IN ('in_doubt', 'queued'))
            AND min(attempt) IS NOT NULL),
    free AS (
        SELECT o.id, o.attempt, g.part,
            row_number() OVER (PARTITION BY o.id ORDER BY g.part) AS place
        FROM (SELECT DISTINCT id, attempt FROM sole) o JOIN notifications n USING (id)
        CROSS JOIN LATERAL generate_series(1, n.parts) AS g (part)
        WHERE NOT EXISTS (
            SELECT FROM submits s WHERE s.notification_id = o.id AND s.part = g.part)),
    placed AS (
        SELECT o.*, row_number() OVER (PARTITION BY o.id ORDER BY receipt) AS place FROM sole o)
    INSERT INTO submits (notification_id, attempt, part, account, message_id, message_key, told,
        submitted_at)
    SELECT f.id, f.attempt, f.part, p.account, p.message_id, p.message_keys[1], false, %(now)s
    FROM placed o JOIN free f ON (f.id, f.attempt, f.place) = (o.id, o.attempt, o.place)
    JOIN parked p ON p.id = o.receipt
    ON CONFLICT DO NOTHING
"""
_LOCK: Final = """
    SELECT id FROM notifications WHERE id = ANY (%s)
    ORDER BY id FOR UPDATE
"""
_APPLY: Final = """
    WITH matched AS (
        SELECT * FROM unnest(%(receipts)s::bigint[], %(statuses)s::text[], %(ids)s::bigint[],
            %(attempts)s::int[], %(parts)s::smallint[])
        AS t (receipt, status, notification_id, attempt, part)),
    spent AS (
        UPDATE receipts SET applied_at = %(now)s FROM matched WHERE receipts.id = matched.receipt)
    UPDATE submits s SET receipt = m.status
    FROM (SELECT DISTINCT ON (notification_id, attempt, part) * FROM matched
        ORDER BY notification_id, attempt, part, (status = ANY (%(final)s)) DESC, receipt) m
    WHERE (s.notification_id, s.attempt, s.part) = (m.notification_id, m.attempt, m.part)
        AND (s.receipt IS NULL OR NOT s.receipt = ANY (%(final)s)) AND m.status <> 'in_doubt'
"""
_STATES: Final = """
    SELECT n.id, n.parts, s.part, s.attempt, s.receipt, s.told
    FROM notifications n JOIN submits s ON s.notification_id = n.id
    WHERE n.id = ANY (%s) ORDER BY n.id
"""
_MOVE: Final = """
    WITH whole AS (DELETE FROM in_part WHERE notification_id = ANY (%(ids)s))
    UPDATE notifications SET status = %(status)s, status_at = %(now)s, detail = 'receipt'
    WHERE id = ANY (%(ids)s) AND status = ANY (%(sources)s)
"""
_IN_PART: Final = """
    WITH came AS (
        SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[])
        AS t (id, delivered, came)),
    counted AS (
        UPDATE notifications n SET parts_delivered = t.delivered FROM came t
        WHERE n.id = t.id AND n.parts_delivered < t.delivered
            AND n.status IN ('submitted', 'queued', 'in_doubt')
        RETURNING n.id, t.came)
    INSERT INTO in_part SELECT id, came FROM counted
    ON CONFLICT (notification_id) DO UPDATE SET came_at = excluded.came_at
"""
_REST_SILENT: Final = """
    SELECT n.id FROM in_part p JOIN notifications n ON n.id = p.notification_id
    WHERE p.came_at < %(before)s AND n.status_at < %(before)s AND n.status = 'submitted'
    ORDER BY n.id LIMIT 1000 FOR UPDATE OF n SKIP LOCKED
"""
_PARK: Final = "UPDATE receipts SET parked = %s WHERE id = ANY (%s)"
_FINAL: Final = [status.value for status in (Status.DELIVERED, *FAILURES)]
_BASES: Final = tuple(Base)

log = structlog.get_logger()
_Matched = tuple[int, str, int, int, int]  # receipt, status, notification, attempt, part


class PgReceipts:
    """Keeps ports.Receipts."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Commits them as they came."""
        table = [
            (r.account, r.message_id, *sought(r.message_id), r.status.value, r.code,
             self._seal.index(r.msisdn) if r.msisdn else None, r.submitted_on)
            for r in receipts
        ]  # fmt: skip
        values = (at, *columns(table, 9))
        self._database.run(lambda connection: connection.execute(_KEEP, values) and None)

    def apply(self, now: datetime) -> int:
        """Moves notifications forward by what is not yet applied."""
        return self._database.run(lambda connection: _apply(connection, now))


def _apply(connection: Connection, now: datetime) -> int:
    oldest = now - _KEPT
    connection.execute(
        _GUESS,
        {"oldest": oldest, "newest": now - _EARLY, "most": _MOST, "now": now,
         "kept": _KEPT, "skew": _SKEW},
    )  # fmt: skip
    candidates = rows(connection, _MATCH, ([base.value for base in Base], oldest, _MOST))
    matched, came = _matched(connection, candidates)
    if matched:
        names = ("receipts", "statuses", "ids", "attempts", "parts")
        values = dict(zip(names, columns(matched, len(names)), strict=True))
        connection.execute(_APPLY, {**values, "now": now, "final": _FINAL})
        _move(connection, came, now)
    silent = [row[0] for row in rows(connection, _REST_SILENT, {"before": now - _SILENT_PARTS})]
    if silent:
        _moved(connection, silent, Status.DELIVERED, now)
    return len(matched)


def _matched(
    connection: Connection, candidates: list[tuple[Any, ...]]
) -> tuple[list[_Matched], dict[int, datetime]]:
    """The receipts that mean a submit, and when the last one of each notification came. The
    notifications are locked; those that are being submitted by now are left out."""
    learnt = read_bases(connection, {row[1] for row in candidates})
    before = dict(learnt)
    matched: list[_Matched] = []
    came: dict[int, datetime] = {}
    parked: dict[str, list[int]] = {}
    for (number, account, status, at), group in groupby(candidates, key=lambda row: row[:4]):
        found = [
            Found(row[4], row[5], row[6], _BASES[row[7]], as_spelt=row[8], same_msisdn=row[9])
            for row in group
        ]
        one, learnt[account] = meant(found, learnt.get(account, Learnt()))
        if one is not None:
            matched.append((number, status, one.notification_id, one.attempt, one.part))
            came[one.notification_id] = max(at, came.get(one.notification_id, at))
        elif all(one.same_msisdn is False for one in found):
            parked.setdefault("mismatched", []).append(number)
            log.warning("receipt.mismatched", account=account)
        else:
            parked.setdefault("other_base", []).append(number)
    for why, numbers in parked.items():
        connection.execute(_PARK, (why, numbers))
    write_bases(connection, before, learnt)
    if not matched:
        return [], {}
    held = {row[0] for row in rows(connection, _LOCK, (sorted(came),))}
    return [row for row in matched if row[2] in held], {
        number: at for number, at in came.items() if number in held
    }


def _move(connection: Connection, came: dict[int, datetime], now: datetime) -> None:
    in_part: list[tuple[int, int, datetime]] = []
    moves: dict[Status, list[int]] = {}
    states = rows(connection, _STATES, (list(came),))
    for (number, parts), group in groupby(states, key=lambda row: (row[0], row[1])):
        status, delivered = receipted(parts, [PartReceipt(*row[2:6]) for row in group])
        if status is not None:
            moves.setdefault(status, []).append(number)
        if status in (None, Status.SUBMITTED) and delivered:
            in_part.append((number, delivered, came[number]))
    for status, moved in moves.items():
        _moved(connection, moved, status, now)
    if in_part:
        connection.execute(_IN_PART, columns(in_part, 3))


def _moved(connection: Connection, ids: list[int], status: Status, now: datetime) -> None:
    values = {
        "ids": ids,
        "status": status.value,
        "sources": sources(status),
        "now": now,
    }
    connection.execute(_MOVE, values)
