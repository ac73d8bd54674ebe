"""Knows where one notification stands, as a sentence for whoever asks why it is stuck."""

from datetime import datetime
from typing import Any, Final

from ussdapp.core.notification import Class
from ussdapp.core.quiet import BULK_HOURS, Hours
from ussdapp.core.standing import Carried, Standing, sentence
from ussdapp.core.status import Status
from ussdapp.stores.database import Connection, Database, first

_ROW: Final = """
    SELECT n.status, n.status_at, n.detail, n.class, n.channel, n.copies, n.attempts, n.parts,
        n.parts_delivered, n.accepted_at, n.due_at, n.expires_at, n.resent, n.rank,
        (SELECT max(bound_at) FROM leases l WHERE l.channel = n.channel),
        (SELECT status FROM bulks b WHERE b.id = n.bulk_id AND b.released_at IS NULL)
    FROM notifications n WHERE id = %s
"""
_WINDOW: Final = "SELECT journaled_at FROM windows WHERE %s = ANY (ids)"
# The lanes leave beside one another: only what is of its own is ahead of it.
_AHEAD: Final = """
    WITH mine AS (
        SELECT rank, turn, id, array_position(ids, %(id)s::bigint) - 1 AS place FROM queue
        WHERE channel = %(channel)s AND rank = %(rank)s AND %(id)s = ANY (ids) LIMIT 1)
    SELECT m.place + coalesce((SELECT sum(cardinality(q.ids)) FROM queue q
        WHERE q.channel = %(channel)s AND q.due_at <= %(now)s
            AND q.rank <= m.rank AND (m.rank < %(bulk)s OR q.rank = m.rank)
            AND (q.rank, q.turn, q.id) < (m.rank, m.turn, m.id)), 0)
    FROM mine m
"""
_BULK_RANK: Final = 3  # what is of a lane of its own


def why(database: Database, number: int, now: datetime, hours: Hours = BULK_HOURS) -> str | None:
    """The state, since when, and what happens next; None when there is no such notification."""
    standing = database.run(lambda connection: _standing(connection, number, now))
    return None if standing is None else sentence(standing, now, hours)


def _standing(connection: Connection, number: int, now: datetime) -> Standing | None:
    row = first(connection, _ROW, (number,))
    if row is None:
        return None
    status, ahead, journaled_at = Status(row[0]), None, None
    if status is Status.QUEUED:
        if window := first(connection, _WINDOW, (number,)):
            status, journaled_at = Status.SUBMITTING, window[0]
        else:
            ahead = _ahead(connection, number, row, now)
    return Standing(
        status=status,
        since=row[1],
        detail=row[2] if status is not Status.SUBMITTING else "",
        klass=Class(row[3]),
        carried=Carried(row[4], row[14]),
        copies=row[5],
        attempts=row[6],
        parts=row[7],
        parts_delivered=row[8],
        accepted_at=row[9],
        due_at=row[10],
        expires_at=row[11],
        resent=row[12],
        journaled_at=journaled_at,
        ahead=ahead,
        held_by=(row[15] or "") if ahead is None and status is Status.QUEUED else "",
    )


def _ahead(connection: Connection, number: int, row: tuple[Any, ...], now: datetime) -> int | None:
    values = {"id": number, "channel": row[4], "rank": row[13], "now": now, "bulk": _BULK_RANK}
    found = first(connection, _AHEAD, values)
    return None if found is None else int(found[0])
