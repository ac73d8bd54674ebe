"""Knows what is kept of a window that an operator took at the first attempt: nothing is weighed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ussdapp.core.message_ids import folded
from ussdapp.ports import Answered, Outcome, Submission, Submitted
from ussdapp.stores.copy_text import copied, copy_lines
from ussdapp.stores.database import Connection, as_array, first

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


def is_plain(row: Submission, outcome: Outcome) -> bool:
    """Whether nothing is to be weighed: a first attempt, and the operator took it."""
    return (
        type(outcome) is Submitted
        and row.attempt == 1
        and bool(outcome.message_ids)
        and not row.taken
    )


def took_all(
    connection: Connection, account: str, window: Sequence[Answered], now: datetime
) -> bool:
    """Closes a window that was taken as a whole; whether it was one."""
    number = window[0][0].window if window else 0
    if not all(row.window == number and is_plain(row, outcome) for row, outcome in window):
        return False
    values = {"window": number, "count": len(window), "now": now}
    if first(connection, _ALL_TAKEN, values) is None:
        return False
    _copy(connection, account, window, now)
    return True


def take(connection: Connection, account: str, plain: list[Answered], now: datetime) -> None:
    """Records those of a window that are plain."""
    ids = as_array(sorted(row.id for row, _ in plain))
    connection.execute(_TAKEN, (now, ids))
    _copy(connection, account, plain, now)


def _copy(connection: Connection, account: str, plain: Sequence[Answered], now: datetime) -> None:
    tail = f"\t{now.isoformat()}\n"
    head = f"\t{copied(account)}\t"
    lines = [
        f"{row.id}\t1\t{part}{head}{copied(message_id)}\t{_key(message_id)}{tail}"
        for row, outcome in plain
        for part, message_id in enumerate(outcome.message_ids, 1)  # type: ignore[union-attr]
    ]
    copy_lines(connection, _COPY, lines)


def _key(message_id: str) -> str:
    return copied(folded(message_id)) if message_id else "\\N"
