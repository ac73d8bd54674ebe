"""Knows the journal of the sender: what is claimed, what was answered, what is due again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ussdapp.core.inbound import Lease
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
    Unavailable,
)
from ussdapp.stores.database import Connection, Database, columns, first, rows
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.seal import Seal

_MOST_REFUSALS: Final = 5  # tries of what an operator refuses for now (faults.md row 41)
_FENCE: Final = "SELECT 1 FROM leases WHERE channel = %s AND bind = %s AND epoch = %s FOR SHARE"
_CLAIM: Final = """
    WITH due AS (
        SELECT id FROM notifications
        WHERE channel = %(channel)s AND status = 'queued' AND due_at <= %(now)s
        ORDER BY rank, id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
    judged AS (
        SELECT n.id, CASE
            WHEN n.expires_at <= %(now)s THEN 'expired'
            WHEN n.class IN ('transaction', 'bulk') AND EXISTS (
                SELECT FROM opt_outs o WHERE o.msisdn_index = n.msisdn_index
                AND o.until_at IS NULL
                AND (o.institution_id IS NULL OR o.institution_id = n.institution_id)
            ) THEN 'rejected'
            ELSE 'submitting' END AS status
        FROM notifications n JOIN due USING (id)),
    moved AS (
        UPDATE notifications n SET status = j.status, status_at = %(now)s,
            detail = CASE j.status WHEN 'rejected' THEN 'opted_out' ELSE '' END,
            bind = %(bind)s, epoch = %(epoch)s,
            attempts = n.attempts + (j.status = 'submitting')::int,
            copies = n.copies + (j.status = 'submitting')::int
        FROM judged j WHERE n.id = j.id
        RETURNING n.id, n.attempts, n.msisdn_sealed, n.text_sealed, n.sender_id, n.rank, n.status),
    journaled AS (
        INSERT INTO attempts (notification_id, attempt, channel, bind, epoch, journaled_at)
        SELECT id, attempts, %(channel)s, %(bind)s, %(epoch)s, %(now)s
        FROM moved WHERE status = 'submitting')
    SELECT status = 'submitting', id, attempts, msisdn_sealed, text_sealed, sender_id
    FROM moved ORDER BY rank, id
"""
_RELEASE: Final = """
    WITH held AS (
        SELECT id, attempts FROM notifications WHERE status = 'submitting'
        AND channel = %(channel)s AND bind = %(bind)s AND epoch = %(epoch)s
        ORDER BY id FOR UPDATE),
    told AS (
        UPDATE attempts a SET outcome = 'deferred', detail = 'unwritten', answered_at = %(now)s
        FROM held WHERE a.notification_id = held.id AND a.attempt = held.attempts)
    UPDATE notifications n SET status = 'queued', status_at = %(now)s, copies = copies - 1
    FROM held WHERE n.id = held.id
"""
# What a later epoch put in doubt may still be settled by the answer this process holds, as long
# as no further attempt was begun.
_ANSWERED: Final = """
    WITH answers AS (
        SELECT * FROM unnest(%(ids)s::bigint[], %(attempts)s::smallint[], %(outcomes)s::text[],
            %(details)s::text[], %(pauses)s::float8[], %(refusals)s::smallint[])
        AS t (id, attempt, outcome, detail, pause, refusal)),
    held AS (
        SELECT n.id FROM notifications n JOIN answers USING (id)
        WHERE n.status IN ('submitting', 'in_doubt') AND n.attempts = answers.attempt
        ORDER BY n.id FOR UPDATE OF n),
    told AS (
        UPDATE attempts a SET outcome = t.outcome, detail = t.detail, answered_at = %(now)s
        FROM answers t WHERE a.notification_id = t.id AND a.attempt = t.attempt)
    UPDATE notifications n SET
        status = CASE WHEN t.outcome <> 'deferred' THEN t.outcome
            WHEN n.refusals + t.refusal >= %(most)s THEN 'rejected' ELSE 'queued' END,
        status_at = %(now)s, detail = t.detail,
        copies = n.copies - (t.outcome = 'deferred')::int,
        refusals = n.refusals + t.refusal,
        due_at = CASE WHEN t.outcome = 'deferred'
            THEN %(now)s + make_interval(secs => t.pause * 2 ^ n.refusals) ELSE n.due_at END
    FROM answers t JOIN held USING (id) WHERE n.id = t.id
"""
_PARTS: Final = """
    INSERT INTO submits (notification_id, attempt, part, account, message_id, submitted_at)
    SELECT t.id, t.attempt, t.part, %(account)s, t.message_id, %(now)s
    FROM unnest(%(ids)s::bigint[], %(attempts)s::smallint[], %(parts)s::smallint[],
        %(message_ids)s::text[]) AS t (id, attempt, part, message_id)
    ON CONFLICT DO NOTHING
"""
_SETTLE: Final = """
    WITH waited AS (
        SELECT id FROM notifications
        WHERE status = 'in_doubt' AND class = %s AND copies < %s AND status_at <= %s
        ORDER BY id FOR UPDATE SKIP LOCKED)
    UPDATE notifications n SET status = 'queued', status_at = %s, detail = 'resent_once',
        due_at = %s
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
        self._unsure = False

    def claim(self, lease: Lease, most: int, now: datetime) -> list[Submission]:
        """Commits up to `most` due rows as `submitting`, with their attempt."""
        values = {
            "channel": lease.channel,
            "bind": lease.bind,
            "epoch": lease.epoch,
            "most": most,
            "now": now,
        }
        try:
            found = self._database.run_once(lambda connection: self._claimed(connection, values))
        except Unavailable:
            # the commit may have happened unheard: not a byte of it was written, so the next
            # claim gives those rows back
            self._unsure = True
            raise
        self._unsure = False
        return found

    def _claimed(self, connection: Connection, values: dict[str, Any]) -> list[Submission]:
        fence = (values["channel"], values["bind"], values["epoch"])
        if first(connection, _FENCE, fence) is None:
            raise Fenced
        if self._unsure:
            connection.execute(_RELEASE, values)
        while moved := rows(connection, _CLAIM, values):
            claimed = [self._submission(row[1:]) for row in moved if row[0]]
            if claimed:
                return claimed
        return []

    def _submission(self, row: tuple[Any, ...]) -> Submission:
        return Submission(
            id=row[0],
            attempt=row[1],
            msisdn=Msisdn(self._seal.open_text(row[2], MSISDN)),
            text=self._seal.open_text(row[3], TEXT),
            sender_id=row[4],
        )

    def record(
        self, lease: Lease, window: Sequence[tuple[Submission, Outcome]], now: datetime
    ) -> None:
        """Commits every row's answer; again does no harm."""
        answers = [(row.id, row.attempt, *_told(outcome)) for row, outcome in window]
        parts = [
            (row.id, row.attempt, part, message_id)
            for row, outcome in window
            if isinstance(outcome, Submitted)
            for part, message_id in enumerate(outcome.message_ids, 1)
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


def _record(
    connection: Connection,
    account: str,
    answers: list[tuple[Any, ...]],
    parts: list[tuple[Any, ...]],
    now: datetime,
) -> None:
    values = _named("ids attempts outcomes details pauses refusals", answers)
    connection.execute(_ANSWERED, {**values, "now": now, "most": _MOST_REFUSALS})
    if parts:
        values = _named("ids attempts parts message_ids", parts)
        connection.execute(_PARTS, {**values, "now": now, "account": account})


def _named(names: str, table: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    keys = names.split()
    return dict(zip(keys, columns(table, len(keys)), strict=True))
