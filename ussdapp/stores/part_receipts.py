"""Knows what the receipts of its parts make of a notification: of all, of some, or of one that
stands for the others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import structlog

from ussdapp.core.status import PartReceipt, Status, receipted, sources
from ussdapp.stores.database import Connection, as_array, named, rows
from ussdapp.stores.plain_receipts import MOVING, outcome

_SILENT_PARTS: Final = timedelta(seconds=60)  # some operators receipt one part of several
_LOCK: Final = """
    SELECT FROM notifications WHERE id = ANY (%s::text::bigint[])
    ORDER BY channel, id FOR UPDATE
"""
_TOLD: Final = """
    UPDATE submits s SET receipt = m.status
    FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(parts)s::smallint[], %(statuses)s::text[])
        AS m (notification_id, attempt, part, status)
    WHERE s.notification_id = ANY (%(ids)s)
        AND (s.notification_id, s.attempt, s.part) = (m.notification_id, m.attempt, m.part)
        AND (s.receipt IS NULL OR NOT s.receipt = ANY (%(final)s))
"""
# What a plain receipt moved stands in its notification alone.
_STATES: Final = """
    SELECT n.id, n.parts, s.part, s.attempt, coalesce(s.receipt, CASE WHEN n.parts = 1
        AND n.attempts = 1 AND n.status = ANY (%(final)s) THEN n.status END), s.told
    FROM notifications n CROSS JOIN LATERAL (
        SELECT * FROM submits WHERE notification_id = n.id OFFSET 0) s
    WHERE n.id = ANY (%(ids)s::text::bigint[]) ORDER BY n.id
"""
_MOVE: Final = """
    WITH whole AS (DELETE FROM in_part WHERE notification_id = ANY (%(ids)s))
    UPDATE notifications SET status = %(status)s, status_at = %(now)s, detail = 'receipt',
        parts_delivered = greatest(parts_delivered, %(delivered)s)
    WHERE id = ANY (%(ids)s) AND status = ANY (%(sources)s)
"""
_IN_PART: Final = """
    WITH counted AS (
        UPDATE notifications n SET parts_delivered = t.delivered
        FROM unnest(%(ids)s::bigint[], %(delivered)s::smallint[], %(came)s::timestamptz[])
            AS t (id, delivered, came)
        WHERE n.id = ANY (%(ids)s) AND n.id = t.id AND n.parts_delivered < t.delivered
            AND n.status IN ('submitted', 'queued', 'in_doubt')
        RETURNING n.id, t.came)
    INSERT INTO in_part SELECT id, came FROM counted
    ON CONFLICT (notification_id) DO UPDATE SET came_at = excluded.came_at
"""
_REST_SILENT: Final = """
    SELECT id FROM notifications
    WHERE id = ANY (ARRAY(SELECT notification_id FROM in_part WHERE came_at < %(before)s))
        AND status_at < %(before)s AND status = 'submitted'
    ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED
"""
_FINAL: Final = sorted(MOVING)

log = structlog.get_logger()
_Place = tuple[int, int, int]  # notification, attempt, part


class Matched(NamedTuple):
    """A receipt that means a submit."""

    number: int
    account: str
    status: str
    came: datetime
    place: _Place


def settle_parts(
    connection: Connection, matched: list[Matched], now: datetime
) -> list[tuple[int, int, str]]:
    """Moves the notifications whose parts these receipts are of; how each receipt ends: its number,
    whose it is, and how. The first final word about a part stays: what is known of it is read under
    its lock."""
    came: dict[int, datetime] = {}
    for one in matched:
        came[one.place[0]] = max(one.came, came.get(one.place[0], one.came))
    connection.execute(_LOCK, (as_array(sorted(came)),))
    states = rows(connection, _STATES, {"ids": as_array(came), "final": _FINAL})
    known = {(row[0], row[3], row[2]): row[4] for row in states}
    told, ended = _told(matched, known)
    if told:
        table = [(*place, status) for place, status in told.items()]
        values = named("ids attempts parts statuses", table)
        connection.execute(_TOLD, {**values, "final": _FINAL})
    _move(connection, states, {**known, **told}, came, now)
    return ended


def believe_one_part(connection: Connection, now: datetime) -> None:
    """Takes for delivered what has receipts of some parts, and none of the others for a minute."""
    silent = [row[0] for row in rows(connection, _REST_SILENT, {"before": now - _SILENT_PARTS})]
    if silent:
        _moved(connection, silent, Status.DELIVERED, 0, now)


def _told(
    matched: list[Matched], known: dict[_Place, str | None]
) -> tuple[dict[_Place, str], list[tuple[int, int, str]]]:
    """What is told of parts anew, and how each receipt ends: its number, whose it is, and how."""
    told: dict[_Place, str] = {}
    ended: list[tuple[int, int, str]] = []
    for one in matched:
        end = outcome(one.status, told.get(one.place, known.get(one.place))) or "applied"
        if end == "applied" and one.status != Status.IN_DOUBT.value:
            told[one.place] = one.status
        if end == "conflict":
            log.warning("receipt.conflict", account=one.account, count=1)
        ended.append((one.number, one.place[0], end))
    return told, ended


def _move(
    connection: Connection,
    states: list[tuple[Any, ...]],
    known: dict[_Place, str | None],
    came: dict[int, datetime],
    now: datetime,
) -> None:
    in_part: list[tuple[int, int, datetime]] = []
    moves: dict[tuple[Status, int], list[int]] = {}
    for (number, parts), group in groupby(states, key=lambda row: row[:2]):
        heard = [
            PartReceipt(part, attempt, known[number, attempt, part], told)
            for _, _, part, attempt, _, told in group
        ]
        status, delivered = receipted(parts, heard)
        if status is not None:
            moves.setdefault((status, delivered), []).append(number)
        if status in (None, Status.SUBMITTED) and delivered:
            in_part.append((number, delivered, came[number]))
    for (status, delivered), moved in moves.items():
        _moved(connection, moved, status, delivered, now)
    if in_part:
        connection.execute(_IN_PART, named("ids delivered came", in_part))


def _moved(
    connection: Connection, ids: Sequence[int], status: Status, delivered: int, now: datetime
) -> None:
    values = {"ids": list(ids), "status": status.value, "sources": sources(status), "now": now,
              "delivered": delivered}  # fmt: skip
    connection.execute(_MOVE, values)
