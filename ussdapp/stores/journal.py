"""Knows the journal of the sender: what is claimed, what was answered, what is due again."""

import itertools
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ussdapp.core.inbound import Lease
from ussdapp.core.message_ids import folded
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import MOST_COPIES, RESENT_AFTER
from ussdapp.ports import (
    Deferred,
    Fenced,
    InDoubt,
    Outcome,
    Rejected,
    Submission,
    Submitted,
    Taken,
    Unavailable,
)
from ussdapp.stores.database import Connection, Database, columns, first, rows
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.seal import Seal

_MOST_REFUSALS: Final = 5  # tries of what an operator refuses for now (faults.md row 41)
_FENCE: Final = "SELECT 1 FROM leases WHERE channel = %s AND bind = %s AND epoch = %s FOR SHARE"
# What ends here while an earlier copy is in doubt is in doubt: that copy may have arrived.
_CLAIM: Final = """
    WITH due AS (
        SELECT id FROM notifications
        WHERE channel = %(channel)s AND status = 'queued' AND due_at <= %(now)s
        ORDER BY rank, id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
    checked AS (
        SELECT n.id, n.resent, CASE
            WHEN n.expires_at <= %(now)s THEN 'expired'
            WHEN n.class IN ('transaction', 'bulk') AND EXISTS (
                SELECT FROM opt_outs o WHERE o.msisdn_index = n.msisdn_index
                AND o.until_at IS NULL
                AND (o.institution_id IS NULL OR o.institution_id = n.institution_id)
            ) THEN 'opted_out' END AS hindrance
        FROM notifications n JOIN due USING (id)),
    judged AS (
        SELECT id, coalesce(hindrance, '') AS detail, CASE
            WHEN hindrance IS NULL THEN 'submitting'
            WHEN resent AND EXISTS (SELECT FROM attempts a
                WHERE a.notification_id = checked.id AND a.outcome = 'in_doubt') THEN 'in_doubt'
            WHEN hindrance = 'expired' THEN 'expired' ELSE 'rejected' END AS status
        FROM checked),
    moved AS (
        UPDATE notifications n SET status = j.status, status_at = %(now)s, detail = j.detail,
            bind = %(bind)s, epoch = %(epoch)s,
            attempts = n.attempts + (j.status = 'submitting' AND NOT n.waited)::int,
            copies = n.copies + (j.status = 'submitting' AND NOT n.begun)::int
        FROM judged j WHERE n.id = j.id
        RETURNING n.id, n.attempts, n.msisdn_sealed, n.text_sealed, n.sender_id, n.rank, n.status),
    journaled AS (
        INSERT INTO attempts
            (notification_id, attempt, channel, bind, epoch, window_id, journaled_at)
        SELECT id, attempts, %(channel)s, %(bind)s, %(epoch)s, %(window)s, %(now)s
        FROM moved WHERE status = 'submitting'
        ON CONFLICT (notification_id, attempt) DO UPDATE SET bind = excluded.bind,
            epoch = excluded.epoch, window_id = excluded.window_id,
            journaled_at = excluded.journaled_at, writes = attempts.writes + 1,
            outcome = NULL, answered_at = NULL, detail = '')
    SELECT status = 'submitting', id, attempts, msisdn_sealed, text_sealed, sender_id,
        CASE WHEN attempts > 1 THEN ARRAY(SELECT DISTINCT part FROM submits s
            WHERE s.notification_id = moved.id AND s.told) ELSE '{}' END
    FROM moved ORDER BY rank, id
"""
# Only what a claim whose commit was not heard of moved: of it, not a byte was written.
_RELEASE: Final = """
    WITH held AS (
        SELECT n.id, n.attempts FROM notifications n
        JOIN attempts a ON (a.notification_id, a.attempt) = (n.id, n.attempts)
        WHERE n.status = 'submitting' AND n.channel = %(channel)s AND n.bind = %(bind)s
            AND n.epoch = %(epoch)s AND a.outcome IS NULL AND a.window_id = ANY (%(unheard)s)
        ORDER BY n.id FOR UPDATE OF n),
    told AS (
        UPDATE attempts a SET outcome = 'deferred', detail = 'unwritten', answered_at = %(now)s
        FROM held WHERE a.notification_id = held.id AND a.attempt = held.attempts)
    UPDATE notifications n SET status = 'queued', status_at = %(now)s, waited = true,
        copies = copies - (NOT n.begun)::int
    FROM held WHERE n.id = held.id
"""
_LOCK: Final = "SELECT FROM notifications WHERE id = ANY (%s) ORDER BY id FOR UPDATE"
# An attempt is answered once; only doubt about it may still be lifted, by the answer this process
# holds after a later epoch put it in doubt, or by a late one. What an attempt's answer makes of
# its row depends on the row's other attempts: one that was taken makes it `submitted`, one in
# doubt lets no refusal be final.
_ANSWERED: Final = """
    WITH answers AS (
        SELECT * FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(windows)s::bigint[],
            %(outcomes)s::text[], %(details)s::text[], %(pauses)s::float8[],
            %(refusals)s::smallint[], %(takes)s::boolean[])
        AS t (id, attempt, window_id, outcome, detail, pause, refusal, takes)),
    told AS (
        UPDATE attempts a SET outcome = t.outcome, detail = t.detail, answered_at = %(now)s
        FROM answers t
        WHERE (a.notification_id, a.attempt, a.window_id) = (t.id, t.attempt, t.window_id)
            AND (a.outcome IS NULL OR a.outcome = 'in_doubt')
        RETURNING t.*),
    judged AS (
        SELECT t.*, n.attempts > t.attempt AS earlier,
            t.outcome = 'deferred' AND n.refusals + t.refusal < %(most)s AS again,
            coalesce(o.taken, false) AS taken, coalesce(o.open, false) AS open
        FROM told t JOIN notifications n USING (id) LEFT JOIN LATERAL (
            SELECT bool_or(a.outcome = 'submitted') AS taken,
                bool_or(a.outcome = 'in_doubt' OR a.outcome IS NULL) AS open
            FROM attempts a WHERE n.attempts > 1
                AND a.notification_id = n.id AND a.attempt <> t.attempt) o ON true
        WHERE n.status IN ('in_doubt', 'queued')
            OR (n.status = 'submitting' AND n.attempts = t.attempt))
    UPDATE notifications n SET
        status = CASE
            WHEN t.outcome = 'submitted' OR t.taken THEN 'submitted'
            WHEN n.status = 'queued' AND (t.outcome = 'in_doubt' OR t.again) THEN 'queued'
            WHEN t.again AND (n.status = 'submitting' OR NOT t.open) THEN 'queued'
            WHEN t.outcome = 'in_doubt' OR t.open THEN 'in_doubt'
            ELSE 'rejected' END,
        status_at = %(now)s, detail = t.detail,
        copies = greatest(0, n.copies - (t.outcome = 'deferred' AND NOT (n.begun OR t.takes))::int),
        begun = n.begun OR (t.takes AND t.outcome = 'deferred'),
        waited = CASE WHEN t.earlier THEN n.waited
            ELSE t.again AND t.refusal = 0 AND NOT t.takes END,
        refusals = n.refusals + t.refusal,
        due_at = CASE WHEN t.again AND NOT t.earlier
            THEN %(now)s + make_interval(secs => t.pause * 2 ^ n.refusals) ELSE n.due_at END
    FROM judged t WHERE n.id = t.id
"""
_PARTS: Final = """
    INSERT INTO submits
        (notification_id, attempt, part, account, message_id, message_key, submitted_at)
    SELECT t.id, t.attempt, t.part, %(account)s, t.message_id, t.message_key, %(now)s
    FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(parts)s::smallint[],
        %(message_ids)s::text[], %(keys)s::text[]) AS t (id, attempt, part, message_id, message_key)
    ON CONFLICT (notification_id, attempt, part) DO UPDATE SET message_id = excluded.message_id,
        message_key = excluded.message_key, told = true WHERE NOT submits.told
"""
_SETTLE: Final = """
    WITH waited AS (
        SELECT id FROM notifications
        WHERE status = 'in_doubt' AND NOT resent AND class = %s AND copies < %s AND status_at <= %s
        ORDER BY id FOR UPDATE SKIP LOCKED)
    UPDATE notifications n SET status = 'queued', status_at = %s, detail = 'resent_once',
        due_at = %s, resent = true, begun = false, waited = false
    FROM waited w WHERE n.id = w.id
"""


# Walks the index of queued rows from channel to channel, for there may be a million of them.
_DUE: Final = """
    WITH RECURSIVE queued AS (
        (SELECT channel FROM notifications WHERE status = 'queued' ORDER BY channel LIMIT 1)
        UNION ALL
        SELECT (SELECT n.channel FROM notifications n
            WHERE n.status = 'queued' AND n.channel > q.channel ORDER BY n.channel LIMIT 1)
        FROM queued q WHERE q.channel IS NOT NULL)
    SELECT channel FROM queued q WHERE EXISTS (SELECT FROM notifications n
        WHERE n.status = 'queued' AND n.channel = q.channel AND n.due_at <= %s)
"""


class PgJournal:
    """Keeps ports.Journal."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._windows = itertools.count(secrets.randbits(62))
        self._unheard: list[int] = []  # windows whose claim may have been committed

    def claim(self, lease: Lease, most: int, now: datetime) -> list[Submission]:
        """Commits up to `most` due rows as `submitting`, with their attempt."""
        window = next(self._windows)
        values = {
            "channel": lease.channel,
            "bind": lease.bind,
            "epoch": lease.epoch,
            "most": most,
            "now": now,
            "window": window,
            "unheard": self._unheard,
        }
        try:
            found = self._database.run_once(lambda connection: self._claimed(connection, values))
        except Unavailable:
            # the commit may have happened unheard: not a byte of it was written, so the next
            # claim gives those rows back
            self._unheard.append(window)
            raise
        self._unheard = []
        return found

    def _claimed(self, connection: Connection, values: dict[str, Any]) -> list[Submission]:
        fence = (values["channel"], values["bind"], values["epoch"])
        if first(connection, _FENCE, fence) is None:
            raise Fenced
        if values["unheard"]:
            connection.execute(_RELEASE, values)
        while moved := rows(connection, _CLAIM, values):
            claimed = [self._submission(row[1:], values["window"]) for row in moved if row[0]]
            if claimed:
                return claimed
        return []

    def _submission(self, row: tuple[Any, ...], window: int) -> Submission:
        return Submission(
            id=row[0],
            attempt=row[1],
            msisdn=Msisdn(self._seal.open_text(row[2], MSISDN)),
            text=self._seal.open_text(row[3], TEXT),
            sender_id=row[4],
            window=window,
            taken=frozenset(row[5]),
        )

    def record(
        self, lease: Lease, window: Sequence[tuple[Submission, Outcome]], now: datetime
    ) -> None:
        """Commits every row's answer; again does no harm."""
        answers = [
            (row.id, row.attempt, row.window, *_told(outcome), bool(_taken(row, outcome)))
            for row, outcome in window
        ]
        parts = [
            (row.id, row.attempt, part, message_id, folded(message_id) if message_id else None)
            for row, outcome in window
            for part, message_id in _taken(row, outcome)
        ]
        self._database.run(
            lambda connection: _record(connection, lease.channel, answers, parts, now)
        )

    def settle(self, now: datetime) -> int:
        """Returns to `queued` what is in doubt and due for its one further copy."""

        def work(connection: Connection) -> int:
            return sum(
                connection.execute(
                    _SETTLE, (klass.value, MOST_COPIES, now - after, now, now)
                ).rowcount
                for klass, after in RESENT_AFTER.items()
            )

        return self._database.run(work)

    def due(self, now: datetime) -> list[str]:
        """The channels that have rows due."""
        found = self._database.run(lambda connection: rows(connection, _DUE, (now,)))
        return [str(row[0]) for row in found]


def _told(outcome: Outcome) -> tuple[str, str, float, int]:
    """The outcome as columns: its name, its detail, the pause in seconds, and a refusal's count."""
    match outcome:
        case Submitted():
            return "submitted", "", 0.0, 0
        case Rejected(code):
            return "rejected", code, 0.0, 0
        case Deferred(code, pause, counts):
            return "deferred", code, pause, int(counts)
        case InDoubt(code):
            return "in_doubt", code, 0.0, 0


def _taken(row: Submission, outcome: Outcome) -> Taken:
    """The parts that were taken now, with their message ids."""
    if not isinstance(outcome, Submitted):
        return outcome.taken
    missing = (part for part in itertools.count(1) if part not in row.taken)
    return tuple(zip(missing, outcome.message_ids, strict=False))


def _record(
    connection: Connection,
    account: str,
    answers: list[tuple[Any, ...]],
    parts: list[tuple[Any, ...]],
    now: datetime,
) -> None:
    values = _named("ids attempts windows outcomes details pauses refusals takes", answers)
    connection.execute(_LOCK, (values["ids"],))
    connection.execute(_ANSWERED, {**values, "now": now, "most": _MOST_REFUSALS})
    if parts:
        values = _named("ids attempts parts message_ids keys", parts)
        connection.execute(_PARTS, {**values, "now": now, "account": account})


def _named(names: str, table: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    keys = names.split()
    return dict(zip(keys, columns(table, len(keys)), strict=True))
