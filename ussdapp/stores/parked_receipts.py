"""Knows the receipts that are weighed: of several parts or copies, of an id that is spelt otherwise
or not yet told. They are looked at ever more seldom, for 72 hours."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import structlog

from ussdapp.core.message_ids import Base, Found, Learnt, meant
from ussdapp.core.status import PartReceipt, Status, receipted, sources
from ussdapp.stores.database import Connection, Database, as_array, named, rows
from ussdapp.stores.id_bases import read_bases, write_bases
from ussdapp.stores.plain_receipts import BY_INDEX, MOVING, outcome
from ussdapp.stores.receipt_guess import guess

MOST: Final = 2000  # receipts of one transaction
_KEPT: Final = timedelta(hours=72)
_SOON: Final = timedelta(seconds=0.25)
_SILENT_PARTS: Final = timedelta(seconds=60)  # some operators receipt one part of several
_ROUND: Final = timedelta(seconds=1)
_DUE: Final = """
    SELECT id FROM parked_receipts WHERE look_at <= %s ORDER BY look_at LIMIT %s
    FOR UPDATE SKIP LOCKED
"""
# Every submit whose id a receipt may mean, the newest first: an SMSC may begin its ids again
# (operator_quirks.md, faults 55). One that was looked at in vain is looked at again only for a
# submit that it now can mean.
_MATCH: Final = """
    SELECT r.id, r.account, r.status, r.received_at, s.*
    FROM parked_receipts r CROSS JOIN LATERAL (
        SELECT s.notification_id, s.attempt, s.part,
            array_position(r.message_keys, s.message_key) - 1 AS base,
            s.message_id = r.message_id AS as_spelt, n.msisdn_index = r.msisdn_index AS same
        FROM submits s CROSS JOIN LATERAL (
            SELECT msisdn_index FROM notifications WHERE id = s.notification_id LIMIT 1) n
        WHERE s.account = r.account AND s.message_key = ANY (r.message_keys)
            AND (r.why = '' OR (n.msisdn_index = r.msisdn_index
                AND (s.message_id = r.message_id OR s.message_key = (SELECT
                    r.message_keys[array_position(%(bases)s::text[], b.base)]
                    FROM id_bases b WHERE b.account = r.account))))
        ORDER BY s.submitted_at DESC LIMIT 8) s
    WHERE r.id = ANY (%(due)s::text::bigint[]) ORDER BY r.id
"""
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
_SPENT: Final = """
    WITH spent AS (
        DELETE FROM parked_receipts r
        USING unnest(%(spent)s::bigint[], %(ids)s::bigint[], %(outcomes)s::text[])
            AS m (id, notification_id, outcome)
        WHERE r.id = ANY (%(spent)s) AND r.id = m.id
        RETURNING r.*, m.notification_id, m.outcome)
    INSERT INTO receipts (account, received_at, ended_at, status, outcome, message_ids, codes,
        notification_ids)
    SELECT account, received_at, %(now)s, status, outcome, array_agg(message_id ORDER BY id),
        array_agg(code ORDER BY id), array_agg(notification_id ORDER BY id)
    FROM spent GROUP BY account, received_at, status, outcome ORDER BY received_at
"""
_PARK: Final = "UPDATE parked_receipts SET why = %s WHERE id = ANY (%s)"
_LATER: Final = """
    UPDATE parked_receipts SET look_at = least(received_at + %(kept)s,
        %(now)s + greatest(%(soon)s, (%(now)s - received_at) / 2))
    WHERE id = ANY (%(left)s::text::bigint[])
"""
_TURNED: Final = """
    UPDATE parked_receipts SET look_at = %s WHERE account = ANY (%s) AND why = 'other_base'
"""
_GIVE_UP: Final = """
    WITH over AS (
        SELECT id FROM parked_receipts WHERE look_at <= %(now)s AND received_at <= %(oldest)s
        ORDER BY look_at LIMIT %(most)s FOR UPDATE SKIP LOCKED),
    gone AS (
        DELETE FROM parked_receipts WHERE id = ANY (ARRAY(SELECT id FROM over)) RETURNING *)
    INSERT INTO receipts (account, received_at, ended_at, status, outcome, message_ids, codes,
        notification_ids)
    SELECT account, received_at, %(now)s, status, 'unmatched', array_agg(message_id ORDER BY id),
        array_agg(code ORDER BY id), array_agg(0 ORDER BY id)
    FROM gone GROUP BY account, received_at, status ORDER BY received_at
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
_BASES: Final = tuple(Base)
_FINAL: Final = sorted(MOVING)

log = structlog.get_logger()
_Place = tuple[int, int, int]  # notification, attempt, part


class Looked(NamedTuple):
    """How many receipts were applied, and whether more are due."""

    applied: int
    again: bool


class _Matched(NamedTuple):
    """A receipt that means a submit."""

    number: int
    account: str
    status: str
    came: datetime
    place: _Place


class ParkedReceipts:
    """Any number of processes and threads may look at the same time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._prepared: datetime | None = None
        self._preparing = threading.Lock()

    def prepare(self, now: datetime) -> None:
        """Once a second: guesses, gives up, and believes those who receipt one part of several."""
        with self._preparing:
            if self._prepared and abs(now - self._prepared) < _ROUND:
                return
            self._prepared = now
        over = {"now": now, "oldest": now - _KEPT, "most": MOST}
        run = self._database.run
        run(lambda link: guess(link, _KEPT, now))
        run(lambda link: link.execute(_GIVE_UP, over) and None)
        run(lambda link: _believe_one_part(link, now))

    def look(self, now: datetime) -> Looked:
        """Weighs what is due."""
        return self._database.run(lambda link: _look(link, now))


def _look(connection: Connection, now: datetime) -> Looked:
    connection.execute(BY_INDEX)
    due = [row[0] for row in rows(connection, _DUE, (now, MOST))]
    if not due:
        return Looked(0, again=False)
    values = {"bases": [base.value for base in Base], "due": as_array(due)}
    matched, turned = _weigh(connection, rows(connection, _MATCH, values))
    if matched:
        _apply(connection, matched, now)
    left = set(due).difference(one.number for one in matched)
    if left:
        later = {"now": now, "kept": _KEPT, "soon": _SOON, "left": as_array(left)}
        connection.execute(_LATER, later)
    if turned:
        connection.execute(_TURNED, (now, turned))
    return Looked(len(matched), again=bool(turned) or len(due) == MOST)


def _weigh(
    connection: Connection, candidates: list[tuple[Any, ...]]
) -> tuple[list[_Matched], list[str]]:
    """The receipts that mean a submit, as they came, and the accounts of which something else is
    believed now."""
    before = read_bases(connection, {row[1] for row in candidates})
    learnt = dict(before)
    matched: list[_Matched] = []
    parked: dict[str, list[int]] = {}
    for (number, account, status, at), group in groupby(candidates, key=lambda row: row[:4]):
        found = [
            Found(row[4], row[5], row[6], _BASES[row[7]], as_spelt=row[8], same_msisdn=row[9])
            for row in group
        ]
        one, learnt[account] = meant(found, learnt.get(account, Learnt()))
        if one is not None:
            place = (one.notification_id, one.attempt, one.part)
            matched.append(_Matched(number, account, status, at, place))
        elif all(one.same_msisdn is False for one in found):
            parked.setdefault("mismatched", []).append(number)
            log.warning("receipt.mismatched", account=account)
        else:
            parked.setdefault("other_base", []).append(number)
    for why, numbers in parked.items():
        connection.execute(_PARK, (why, numbers))
    return matched, write_bases(connection, before, learnt)


def _apply(connection: Connection, matched: list[_Matched], now: datetime) -> None:
    """The first final word about a part stays: what is known of it is read under its lock."""
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
    connection.execute(_SPENT, {**named("spent ids outcomes", ended), "now": now})
    _move(connection, states, {**known, **told}, came, now)


def _told(
    matched: list[_Matched], known: dict[_Place, str | None]
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


def _believe_one_part(connection: Connection, now: datetime) -> None:
    silent = [row[0] for row in rows(connection, _REST_SILENT, {"before": now - _SILENT_PARTS})]
    if silent:
        _moved(connection, silent, Status.DELIVERED, 0, now)


def _moved(
    connection: Connection, ids: Sequence[int], status: Status, delivered: int, now: datetime
) -> None:
    values = {"ids": list(ids), "status": status.value, "sources": sources(status), "now": now,
              "delivered": delivered}  # fmt: skip
    connection.execute(_MOVE, values)
