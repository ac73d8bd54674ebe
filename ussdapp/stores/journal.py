"""Knows the journal of the sender: what was answered, what is in doubt, what is due again."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ussdapp.core.inbound import Lease
from ussdapp.core.message_ids import folded
from ussdapp.core.notification import Lane
from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted, Taken
from ussdapp.stores.claims import Claims, Work, nothing
from ussdapp.stores.database import Connection, Database, as_array, columns, first, rows
from ussdapp.stores.queue import AGAIN
from ussdapp.stores.resending import resent
from ussdapp.stores.seal import Seal

# Refused there for what is true of the route and not of the MSISDN: tried once by the fallback
# (faults.md row 59).
_ELSEWHERE: Final = ["ESME_RINVDSTADR", "ESME_RX_R_APPN"]
_MOST_REFUSALS: Final = 5  # tries of what an operator refuses for now (faults.md row 41)
_OPEN: Final = """
    SELECT id, channel, bind, epoch, journaled_at, ids FROM windows WHERE id = ANY (%s)
    ORDER BY id FOR UPDATE
"""
_CLOSE: Final = "DELETE FROM windows WHERE id = %s"
_NARROW: Final = "UPDATE windows SET ids = %s::text::bigint[] WHERE id = %s"
# Most windows: nothing was taken out of it, and all of it was taken at its first attempt.
_ALL_TAKEN: Final = """
    WITH closed AS (
        DELETE FROM windows WHERE id = %(window)s AND cardinality(ids) = %(count)s RETURNING ids),
    moved AS (
        UPDATE notifications n SET status = 'submitted', status_at = %(now)s, attempts = 1,
            copies = 1, detail = '' FROM closed WHERE n.id = ANY (closed.ids)
            AND n.status = 'queued')
    SELECT FROM closed
"""
_TAKEN: Final = """
    UPDATE notifications SET status = 'submitted', status_at = %s, attempts = 1, copies = 1,
        detail = '' WHERE id = ANY (%s::text::bigint[]) AND status = 'queued'
"""
_COPY: Final = """
    COPY submits (notification_id, attempt, part, account, message_id, message_key, submitted_at)
    FROM STDIN
"""
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
_PARTS: Final = """
    INSERT INTO submits
        (notification_id, attempt, part, account, message_id, message_key, submitted_at)
    SELECT t.id, t.attempt, t.part, %(account)s, t.message_id, t.message_key, %(now)s
    FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(parts)s::smallint[],
        %(message_ids)s::text[], %(keys)s::text[]) AS t (id, attempt, part, message_id, message_key)
    ON CONFLICT (notification_id, attempt, part) DO UPDATE SET message_id = excluded.message_id,
        message_key = excluded.message_key, told = true WHERE NOT submits.told
"""
# Walks the index of the queue from channel to channel, for it may be long.
_DUE: Final = """
    WITH RECURSIVE waiting AS (
        (SELECT channel FROM queue ORDER BY channel LIMIT 1)
        UNION ALL
        SELECT (SELECT q.channel FROM queue q WHERE q.channel > w.channel
            ORDER BY q.channel LIMIT 1)
        FROM waiting w WHERE w.channel IS NOT NULL)
    SELECT channel FROM waiting w WHERE EXISTS (SELECT FROM queue q
        WHERE q.channel = w.channel AND q.due_at <= %s)
"""
_Answered = tuple[Submission, Outcome]


class PgJournal:
    """Keeps ports.Journal."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        fallbacks: Mapping[str, str] | None = None,
        express: Database | None = None,
    ) -> None:
        self._database = database
        self._fallbacks = dict(fallbacks or {})
        self._claims = Claims(database, seal, express)

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: Sequence[_Answered] = (),
    ) -> list[Submission]:
        """Commits up to `most` due rows, of one lane or of the first that has any, and in the
        same transaction what was `answered`."""
        first = self._recording(lease, answered, now)
        for one in Lane if lane is None else (lane,):
            if claimed := self._claims.claim(lease, most, now, one, first):
                return claimed
            first = nothing
        return []

    def record(self, lease: Lease, window: Sequence[_Answered], now: datetime) -> None:
        """Commits every row's answer; again does no harm."""
        self._database.run(self._recording(lease, window, now))

    def _recording(self, lease: Lease, window: Sequence[_Answered], now: datetime) -> Work:
        if not window:
            return nothing
        account = lease.channel
        where = {"account": account, "fallback": self._fallbacks.get(account)}
        return lambda link: _record(link, where, window, now)

    def settle(self, now: datetime) -> int:
        """Returns to `queued` what is in doubt and due for its one further copy."""

        return self._database.run(lambda link: resent(link, self._fallbacks, now))

    def due(self, now: datetime) -> list[str]:
        """The channels that have rows due."""
        found = self._database.run(lambda connection: rows(connection, _DUE, (now,)))
        return [str(row[0]) for row in found]


def _record(
    connection: Connection, where: dict[str, Any], window: Sequence[_Answered], now: datetime
) -> None:
    if _all_taken(connection, where["account"], window, now):
        return
    numbers = sorted({row.window for row, _ in window})
    late = list(window)
    for opened in rows(connection, _OPEN, (numbers,)):
        number, ids = opened[0], opened[5]
        inside = set(ids)
        answers = [one for one in late if one[0].window == number and one[0].id in inside]
        late = [one for one in late if one[0].window != number or one[0].id not in inside]
        _close(connection, number, inside.difference(row.id for row, _ in answers))
        plain = [one for one in answers if _plain(*one)]
        if plain:
            _take(connection, where["account"], plain, now)
        if len(plain) < len(answers):
            named = zip(("channel", "bind", "epoch", "journaled_at"), opened[1:], strict=False)
            others = [one for one in answers if not _plain(*one)]
            _decide(connection, _ANSWERS + _CLOSING + _JUDGED, others, now, where | dict(named))
    if late:
        _decide(connection, _ANSWERS + _LATE + _JUDGED, late, now, where)


def _close(connection: Connection, number: int, left: Iterable[int]) -> None:
    if left := list(left):
        connection.execute(_NARROW, (as_array(left), number))
    else:
        connection.execute(_CLOSE, (number,))


def _plain(row: Submission, outcome: Outcome) -> bool:
    """Whether nothing is to be weighed: a first attempt, and the operator took it."""
    return (
        type(outcome) is Submitted
        and row.attempt == 1
        and bool(outcome.message_ids)
        and not row.taken
    )


def _all_taken(
    connection: Connection, account: str, window: Sequence[_Answered], now: datetime
) -> bool:
    """Records a whole window that was taken; whether it was one."""
    number = window[0][0].window if window else 0
    if not all(row.window == number and _plain(row, outcome) for row, outcome in window):
        return False
    values = {"window": number, "count": len(window), "now": now}
    if first(connection, _ALL_TAKEN, values) is None:
        return False
    _copy(connection, account, window, now)
    return True


def _take(connection: Connection, account: str, plain: list[_Answered], now: datetime) -> None:
    ids = as_array(sorted(row.id for row, _ in plain))
    connection.execute(_TAKEN, (now, ids))
    _copy(connection, account, plain, now)


def _copy(connection: Connection, account: str, plain: Sequence[_Answered], now: datetime) -> None:
    tail = f"\t{now.isoformat()}\n"
    head = f"\t{_field(account)}\t"
    lines = [
        f"{row.id}\t1\t{part}{head}{_field(message_id)}\t{_key(message_id)}{tail}"
        for row, outcome in plain
        for part, message_id in enumerate(outcome.message_ids, 1)  # type: ignore[union-attr]
    ]
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write("".join(lines))


def _field(value: str) -> str:
    """A text as COPY reads it."""
    if value.isalnum():
        return value
    return (
        value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    )


def _key(message_id: str) -> str:
    return _field(folded(message_id)) if message_id else "\\N"


def _decide(
    connection: Connection,
    query: Any,
    answered: list[_Answered],
    now: datetime,
    where: dict[str, Any],
) -> None:
    answers = [
        (row.id, row.attempt, row.window, *_told(outcome), bool(_taken(row, outcome)))
        for row, outcome in answered
    ]
    names = "ids attempts windows outcomes details pauses refusals takes"
    known = {"now": now, "most": _MOST_REFUSALS, "elsewhere": _ELSEWHERE}
    values = {**_named(names, answers), **where, **known}
    connection.execute(_LOCK, (values["ids"],))
    connection.execute(query, values)
    parts = [
        (row.id, row.attempt, part, message_id, folded(message_id) if message_id else None)
        for row, outcome in answered
        for part, message_id in _taken(row, outcome)
    ]
    if parts:
        values = _named("ids attempts parts message_ids keys", parts)
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


def _named(names: str, table: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    keys = names.split()
    return dict(zip(keys, columns(table, len(keys)), strict=True))
