"""Knows the receipts of which nothing is to be weighed: one statement moves what they mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ussdapp.core.status import FAILURES, FINAL, Status
from ussdapp.stores.copy_text import array_of
from ussdapp.stores.database import Connection, as_array

NOBODY: Final = bytes(16)  # no MSISDN has this blind index
# The plan must serve tables that have filled since PostgreSQL last counted them: whatever it
# believes, each key is one descent of an index (LATERAL), and ids are joined by hash.
BY_INDEX: Final = """
    SELECT set_config(name, 'off', true) FROM unnest(
        '{enable_seqscan,enable_bitmapscan,enable_nestloop,enable_mergejoin,jit}'::text[]) AS name
"""
# One part, one attempt, taken: this receipt alone decides. Where an SMSC begins its ids again, the
# newest submit is meant (faults.md row 55). In the order of ids, as whoever records answers moves
# them, so that neither waits for the other in a circle.
_MOVE: Final = """
    WITH meant AS MATERIALIZED (
        SELECT DISTINCT ON (s.notification_id) t.place, t.status, s.notification_id,
            substr(%(msisdns)b::bytea, t.place::int * 16 - 15, 16) AS msisdn_index
        FROM unnest(%(keys)s::text::text[], %(statuses)s::text::text[])
            WITH ORDINALITY AS t (key, status, place)
        CROSS JOIN LATERAL (
            SELECT notification_id FROM submits
            WHERE account = %(account)s AND message_key = t.key
            ORDER BY submitted_at DESC LIMIT 1) s
        ORDER BY s.notification_id, t.place)
    UPDATE notifications n SET status = m.status, status_at = %(now)s, detail = 'receipt',
        parts_delivered = (m.status = 'delivered')::int
    FROM meant m
    WHERE n.id = ANY (ARRAY(SELECT notification_id FROM meant)) AND n.id = m.notification_id
        AND n.msisdn_index = m.msisdn_index AND n.status = 'submitted'
        AND n.parts = 1 AND n.attempts = 1 AND NOT n.resent
    RETURNING m.place, n.id
"""
# Whose they are is known, and all say the same: a third of what the other costs.
_MOVE_KNOWN: Final = """
    UPDATE notifications SET status = %(status)s, status_at = %(now)s, detail = 'receipt',
        parts_delivered = %(parts)s
    WHERE id = ANY (%(ids)s::text::bigint[]) AND status = 'submitted'
        AND parts = 1 AND attempts = 1 AND NOT resent
    RETURNING id
"""
_STANDS: Final = """
    SELECT t.place, s.notification_id, n.status
    FROM unnest(%(keys)s::text::text[]) WITH ORDINALITY AS t (key, place)
    CROSS JOIN LATERAL (
        SELECT notification_id FROM submits
        WHERE account = %(account)s AND message_key = t.key
        ORDER BY submitted_at DESC LIMIT 1) s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN parts = 1 AND attempts = 1 AND NOT resent
            AND msisdn_index = substr(%(msisdns)b::bytea, t.place::int * 16 - 15, 16)
            THEN status END AS status
        FROM notifications WHERE id = s.notification_id LIMIT 1) n
"""
ENDING: Final = (Status.DELIVERED, *FAILURES)
MOVING: Final = frozenset(status.value for status in ENDING)
_FINAL: Final = frozenset(status.value for status in FINAL)

# The notification a receipt's id means, and what that came to: `applied`, `nothing_new`,
# `conflict`, or "" where more is to be weighed; None where nobody was told of that id.
End = tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Came:
    """Receipts of one account, as columns: the id of the submit in the account's base, the status
    and the MSISDN's blind index."""

    keys: Sequence[str]
    statuses: Sequence[str]
    indexes: Sequence[bytes]

    def at(self, places: Sequence[int]) -> "Came":
        """Some of them."""
        if len(places) == len(self.keys):
            return self
        return Came(
            [self.keys[place] for place in places],
            [self.statuses[place] for place in places],
            [self.indexes[place] for place in places],
        )


def ends(connection: Connection, account: str, came: Came, now: datetime) -> list[End]:
    """What each receipt comes to. The first of several decides."""
    connection.execute(BY_INDEX)
    found: list[End] = [None] * len(came.keys)
    moving = [place for place, status in enumerate(came.statuses) if status in MOVING]
    for place, number in _looked_up(connection, _MOVE, account, came.at(moving), now):
        found[moving[place - 1]] = (number, "applied")
    others = [place for place, end in enumerate(found) if end is None]
    for place, number, status in _looked_up(connection, _STANDS, account, came.at(others), now):
        where = others[place - 1]
        found[where] = (number, outcome(came.statuses[where], status))
    return found


def move_known(connection: Connection, ids: Iterable[int], status: str, now: datetime) -> set[int]:
    """Moves notifications that nothing but their one receipt ends; returns which it were."""
    values = {"ids": as_array(sorted(ids)), "status": status, "now": now,
              "parts": int(status == Status.DELIVERED.value)}  # fmt: skip
    moved = connection.cursor(binary=True).execute(_MOVE_KNOWN, values).fetchall()
    return {row[0] for row in moved}


def outcome(receipt: str, status: str | None) -> str:
    """What a receipt means to what is settled; "" where it may settle it."""
    if status in _FINAL:
        return "conflict" if receipt in MOVING and receipt != status else "nothing_new"
    return "nothing_new" if status == "submitted" and receipt not in MOVING else ""


def _looked_up(
    connection: Connection, query: Any, account: str, came: Came, now: datetime
) -> list[tuple[Any, ...]]:
    if not came.keys:
        return []
    values = {
        "account": account,
        "keys": array_of(came.keys),
        "statuses": "{" + ",".join(came.statuses) + "}",
        "msisdns": b"".join(came.indexes),
        "now": now,
    }
    return connection.cursor(binary=True).execute(query, values).fetchall()
