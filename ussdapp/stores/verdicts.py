"""Knows what an answer that is weighed makes of its row, by the row's other attempts."""

import itertools
from datetime import datetime
from typing import Any, Final, LiteralString

from ussdapp.core.message_ids import folded
from ussdapp.ports import (
    Answered,
    Deferred,
    InDoubt,
    Outcome,
    Rejected,
    Submission,
    Submitted,
    Taken,
)
from ussdapp.stores.database import Connection, named
from ussdapp.stores.queue import AGAIN

# Refused there for what is true of the route and not of the MSISDN: tried once by the fallback
# (faults.md row 59).
_ELSEWHERE: Final = ["ESME_RINVDSTADR", "ESME_RX_R_APPN"]
_MOST_REFUSALS: Final = 5  # tries of what an operator refuses for now (faults.md row 41)
_LOCK: Final = "SELECT FROM notifications WHERE id = ANY (%s) ORDER BY id FOR UPDATE"
_ANSWERS: Final = """
    WITH answers AS (
        SELECT * FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(windows)s::bigint[],
            %(outcomes)s::text[], %(details)s::text[], %(pauses)s::float8[],
            %(refusals)s::smallint[], %(takes)s::boolean[])
        AS t (id, attempt, window_id, outcome, detail, pause, refusal, takes)),
"""
# An attempt is answered once: within its window, as it closes.
_CLOSING: Final = """
    told AS (
        INSERT INTO attempts (notification_id, attempt, channel, bind, epoch, window_id,
            journaled_at, outcome, detail, answered_at)
        SELECT t.id, t.attempt, %(channel)s, %(bind)s, %(epoch)s, t.window_id, %(journaled_at)s,
            t.outcome, t.detail, %(now)s FROM answers t
        ON CONFLICT (notification_id, attempt) DO UPDATE SET bind = excluded.bind,
            epoch = excluded.epoch, window_id = excluded.window_id,
            journaled_at = excluded.journaled_at, writes = attempts.writes + 1,
            outcome = excluded.outcome, detail = excluded.detail,
            answered_at = excluded.answered_at),
    due AS (SELECT *, true AS closing FROM answers),
"""
# Only doubt about it may still be lifted, by the answer this process holds after a later epoch
# put it in doubt, or by a late one. What is being submitted again waits for that answer first,
# unless it was taken.
_LATE: Final = """
    told AS (
        UPDATE attempts a SET outcome = t.outcome, detail = t.detail, answered_at = %(now)s
        FROM answers t
        WHERE (a.notification_id, a.attempt, a.window_id) = (t.id, t.attempt, t.window_id)
            AND a.outcome = 'in_doubt'
        RETURNING t.*),
    due AS (SELECT t.*, false AS closing FROM told t WHERE t.outcome = 'submitted'
        OR NOT EXISTS (SELECT FROM windows w WHERE t.id = ANY (w.ids))),
"""
# What an attempt's answer makes of its row depends on the row's other attempts: one that was taken
# makes it `submitted`, one in doubt lets no refusal be final.
_JUDGED: Final = (
    """
    judged AS (
        SELECT t.*, n.status AS before, n.begun, n.attempts > t.attempt AS earlier,
            t.outcome = 'deferred' AND n.refusals + t.refusal < %(most)s AS again,
            t.closing AND t.outcome = 'rejected' AND t.attempt = 1 AND n.status = 'queued'
                AND n.channel = %(account)s AND t.detail = ANY (%(elsewhere)s) AND NOT t.takes
                AND %(fallback)s::text IS NOT NULL AS elsewhere,
            coalesce(o.taken, false) AS taken, coalesce(o.open, false) AS open
        FROM due t JOIN notifications n USING (id) LEFT JOIN LATERAL (
            SELECT bool_or(a.outcome = 'submitted') AS taken,
                bool_or(a.outcome = 'in_doubt') AS open
            FROM attempts a WHERE greatest(n.attempts, t.attempt) > 1
                AND a.notification_id = n.id AND a.attempt <> t.attempt) o ON true
        WHERE t.closing OR n.status IN ('in_doubt', 'queued')),
    decided AS (
        SELECT *, CASE
            WHEN before NOT IN ('queued', 'in_doubt') THEN before
            WHEN outcome = 'submitted' OR taken THEN 'submitted'
            WHEN elsewhere OR (again AND (closing OR NOT open)) THEN 'queued'
            WHEN before = 'queued' AND NOT closing AND (outcome = 'in_doubt' OR again)
                THEN 'queued'
            WHEN outcome = 'in_doubt' OR open THEN 'in_doubt'
            ELSE 'rejected' END AS status FROM judged),
    moved AS (
        UPDATE notifications n SET status = t.status, detail = t.detail, status_at = %(now)s,
            channel = CASE WHEN t.elsewhere THEN %(fallback)s ELSE n.channel END,
            attempts = greatest(n.attempts, t.attempt),
            copies = greatest(0, n.copies + CASE WHEN n.begun THEN 0
                WHEN t.closing THEN (t.outcome <> 'deferred' AND NOT t.elsewhere OR t.takes)::int
                ELSE -(t.outcome = 'deferred' AND NOT t.takes)::int END),
            begun = n.begun OR (t.takes AND t.outcome = 'deferred'),
            waited = CASE WHEN t.earlier THEN n.waited
                ELSE t.again AND t.refusal = 0 AND NOT t.takes END,
            refusals = n.refusals + t.refusal,
            due_at = CASE WHEN t.again AND NOT t.earlier
                THEN %(now)s + make_interval(secs => t.pause * 2 ^ n.refusals) ELSE n.due_at END
        FROM decided t WHERE n.id = t.id
        RETURNING n.id, n.channel, n.rank, n.institution_id, n.bulk_id, n.due_at,
            n.status = 'queued' AND (t.closing OR t.before = 'in_doubt') AS again)
"""  # noqa: S608
    + AGAIN
    + """
    FROM (SELECT channel, rank, coalesce(institution_id, 0) AS institution_id,
            coalesce(bulk_id, 0) AS bulk_id, due_at, array_agg(id ORDER BY id) AS ids
        FROM moved WHERE again GROUP BY 1, 2, 3, 4, 5) e
"""
)
_IN_WINDOW: Final = _ANSWERS + _CLOSING + _JUDGED
_AFTER: Final = _ANSWERS + _LATE + _JUDGED
_PARTS: Final = """
    INSERT INTO submits
        (notification_id, attempt, part, account, message_id, message_key, submitted_at)
    SELECT t.id, t.attempt, t.part, %(account)s, t.message_id, t.message_key, %(now)s
    FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(parts)s::smallint[],
        %(message_ids)s::text[], %(keys)s::text[]) AS t (id, attempt, part, message_id, message_key)
    ON CONFLICT (notification_id, attempt, part) DO UPDATE SET message_id = excluded.message_id,
        message_key = excluded.message_key, told = true WHERE NOT submits.told
"""


def weigh(
    connection: Connection, where: dict[str, Any], answered: list[Answered], now: datetime
) -> None:
    """Records what was answered within its open window: `where` names that, the account and its
    fallback."""
    _decide(connection, _IN_WINDOW, where, answered, now)


def weigh_late(
    connection: Connection, where: dict[str, Any], answered: list[Answered], now: datetime
) -> None:
    """Records what was answered after its window was closed; `where` as far as it is known."""
    _decide(connection, _AFTER, where, answered, now)


def _decide(
    connection: Connection,
    query: LiteralString,
    where: dict[str, Any],
    answered: list[Answered],
    now: datetime,
) -> None:
    answers = [
        (row.id, row.attempt, row.window, *_told(outcome), bool(_taken(row, outcome)))
        for row, outcome in answered
    ]
    names = "ids attempts windows outcomes details pauses refusals takes"
    known = {"now": now, "most": _MOST_REFUSALS, "elsewhere": _ELSEWHERE}
    values = {**named(names, answers), **where, **known}
    connection.execute(_LOCK, (values["ids"],))
    connection.execute(query, values)
    parts = [
        (row.id, row.attempt, part, message_id, folded(message_id) if message_id else None)
        for row, outcome in answered
        for part, message_id in _taken(row, outcome)
    ]
    if parts:
        values = named("ids attempts parts message_ids keys", parts)
        connection.execute(_PARTS, {**values, "now": now, "account": where["account"]})


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
