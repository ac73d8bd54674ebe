"""Knows where one notification stands, as a sentence for an operator of the gateway."""

from datetime import datetime
from typing import Any, Final

from ussdapp.core.notification import MOST_COPIES, RESENT_AFTER, Class
from ussdapp.core.status import Status
from ussdapp.stores.database import Database, first

_ROW: Final = """
    SELECT stands, status_at, detail, channel, class, copies, due_at, expires_at, resent
    FROM notifications_now WHERE id = %s
"""


def why(database: Database, number: int, now: datetime) -> str | None:
    """The state, since when, and what happens next; None when there is no such notification."""
    row = database.run(lambda connection: first(connection, _ROW, (number,)))
    return None if row is None else _sentence(row, now)


def _sentence(row: tuple[Any, ...], now: datetime) -> str:
    status, since, detail, channel, klass, copies, due_at, expires_at, resent = row
    told = f" ({detail})" if detail else ""
    return f"{status} since {since:%Y-%m-%d %H:%M:%S} UTC on channel {channel}{told}: " + {
        Status.QUEUED: f"it is submitted when channel {channel} is bound and its turn comes"
        if due_at <= now
        else f"it is tried again at {due_at:%H:%M:%S} UTC, and expires at {expires_at:%H:%M:%S}",
        Status.SUBMITTING: "its answer is awaited; if the worker dies it becomes in_doubt",
        Status.SUBMITTED: "the operator took it; its receipt is awaited",
        Status.IN_DOUBT: _doubt(Class(klass), MOST_COPIES if resent else copies),
    }.get(Status(status), "this is final")


def _doubt(klass: Class, copies: int) -> str:
    patience = RESENT_AFTER.get(klass)
    if patience and copies < MOST_COPIES:
        seconds = int(patience.total_seconds())
        return f"a receipt settles it, or one further copy is submitted after {seconds} s"
    return "only a receipt can settle it; it is not submitted again by itself"
