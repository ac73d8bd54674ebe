"""Knows the receipts that are weighed: of several parts or copies, of an id that is spelt otherwise
or not yet told. They are looked at ever more seldom, for 72 hours."""

import threading
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import structlog

from ussdapp.core.message_ids import Base, Found, Learnt, meant
from ussdapp.stores.database import Connection, Database, as_array, named, rows
from ussdapp.stores.id_bases import read_bases, write_bases
from ussdapp.stores.part_receipts import Matched, believe_one_part, settle_parts
from ussdapp.stores.plain_receipts import BY_INDEX
from ussdapp.stores.receipt_guess import guess

MOST: Final = 2000  # receipts of one transaction
_KEPT: Final = timedelta(hours=72)
_SOON: Final = timedelta(seconds=0.25)
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
_BASES: Final = tuple(Base)

log = structlog.get_logger()


class Looked(NamedTuple):
    """How many receipts were applied, and whether more are due."""

    applied: int
    again: bool


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
        run(lambda link: believe_one_part(link, now))

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
        ended = settle_parts(connection, matched, now)
        connection.execute(_SPENT, {**named("spent ids outcomes", ended), "now": now})
    left = set(due).difference(one.number for one in matched)
    if left:
        later = {"now": now, "kept": _KEPT, "soon": _SOON, "left": as_array(left)}
        connection.execute(_LATER, later)
    if turned:
        connection.execute(_TURNED, (now, turned))
    return Looked(len(matched), again=bool(turned) or len(due) == MOST)


def _weigh(
    connection: Connection, candidates: list[tuple[Any, ...]]
) -> tuple[list[Matched], list[str]]:
    """The receipts that mean a submit, as they came, and the accounts of which something else is
    believed now."""
    before = read_bases(connection, {row[1] for row in candidates})
    learnt = dict(before)
    matched: list[Matched] = []
    parked: dict[str, list[int]] = {}
    for (number, account, status, at), group in groupby(candidates, key=lambda row: row[:4]):
        found = [
            Found(row[4], row[5], row[6], _BASES[row[7]], as_spelt=row[8], same_msisdn=row[9])
            for row in group
        ]
        one, learnt[account] = meant(found, learnt.get(account, Learnt()))
        if one is not None:
            place = (one.notification_id, one.attempt, one.part)
            matched.append(Matched(number, account, status, at, place))
        elif all(one.same_msisdn is False for one in found):
            parked.setdefault("mismatched", []).append(number)
            log.warning("receipt.mismatched", account=account)
        else:
            parked.setdefault("other_base", []).append(number)
    for why, numbers in parked.items():
        connection.execute(_PARK, (why, numbers))
    return matched, write_bases(connection, before, learnt)
