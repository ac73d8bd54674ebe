"""Knows the queue: blocks of ids that wait for their turn on a channel, fair between those who
sent them (start-time fair queueing: Goyal, Vin and Cheng, 1996)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, LiteralString

from ussdapp.stores.database import Connection, Database, as_array, rows

QUEUED: Final[LiteralString] = """
    INSERT INTO queue (channel, rank, turn, institution_id, bulk_id, due_at, ids)
    SELECT e.channel, e.rank,
        next_turn(e.channel, e.rank, e.institution_id, e.bulk_id, e.due_at),
        e.institution_id, e.bulk_id, e.due_at, e.ids
"""
# A block that is due later is parked: its turn is that moment, behind all others of its lane.
PARKED: Final[LiteralString] = "(1::bigint << 61)"
# The turns that a claim looks at: never those that are not due, however many there are.
REACHED: Final[LiteralString] = (
    f"turn <= {PARKED} + (extract(epoch FROM %(now)s::timestamptz) * 1000)::bigint"
)
# How a claim begins: its lease, and the blocks that come next. Nobody else takes them meanwhile.
NEXT: Final[LiteralString] = f"""
    WITH fence AS MATERIALIZED (
        SELECT epoch FROM leases
        WHERE channel = %(channel)s AND bind = %(bind)s AND epoch = %(epoch)s FOR SHARE),
    locked AS MATERIALIZED (
        SELECT id, rank, turn, ids FROM queue
        WHERE EXISTS (SELECT FROM fence) AND channel = %(channel)s
            AND rank BETWEEN %(first)s AND %(last)s AND due_at <= %(now)s AND {REACHED}
        ORDER BY rank, turn, id LIMIT %(blocks)s FOR UPDATE SKIP LOCKED),"""  # noqa: S608
# What was claimed before goes first again, once it is due.
AGAIN: Final[LiteralString] = f"""
    INSERT INTO queue (channel, rank, turn, institution_id, bulk_id, due_at, ids)
    SELECT e.channel, e.rank, coalesce(parked_until(e.due_at), (SELECT q.turn FROM queue q
            WHERE q.channel = e.channel AND q.rank = e.rank AND q.turn < {PARKED}
            ORDER BY q.turn LIMIT 1), 0),
        e.institution_id, e.bulk_id, e.due_at, e.ids
"""  # noqa: S608
_BLOCKS: Final = (
    QUEUED
    + """
    FROM (SELECT %(channel)s::text, %(rank)s::smallint, %(institution_id)s::int,
        %(bulk_id)s::bigint,
        %(due)s::timestamptz, %(ids)s::text::bigint[])
        AS e (channel, rank, institution_id, bulk_id, due_at, ids)
"""
)
_BLOCK: Final = 1000  # ids a row of the queue
# Blocks of one flow that are due together take turns as if they were queued one after the other.
_UNPARK: Final = (
    """
    WITH due AS MATERIALIZED (
        SELECT *, row_number() OVER () AS place FROM (
            SELECT * FROM queue WHERE turn >= """  # noqa: S608
    + PARKED
    + " AND "
    + REACHED
    + """
            ORDER BY turn, id LIMIT %(most)s FOR UPDATE SKIP LOCKED) q),
    dealt AS MATERIALIZED (
        SELECT id, next_turn(channel, rank, institution_id, bulk_id, least(due_at, now()))
            + sum(cardinality(ids)) OVER (
                PARTITION BY channel, rank, institution_id, bulk_id ORDER BY place)
            - cardinality(ids) AS turn
        FROM due)
    UPDATE queue q SET turn = d.turn FROM dealt d WHERE q.id = d.id RETURNING q.id
"""
)
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
_UNPARKED: Final = 1000  # blocks in one round


@dataclass(frozen=True, slots=True)
class Flow:
    """Whose notifications they are, by which turns are fair; 0 is the gateway itself, and no
    bulk."""

    channel: str
    rank: int
    institution_id: int = 0
    bulk_id: int = 0


def enqueue(connection: Connection, flow: Flow, ids: Sequence[int], due: datetime) -> None:
    """Queues accepted notifications in blocks, within the transaction that accepts them."""
    for start in range(0, len(ids), _BLOCK):
        block = as_array(ids[start : start + _BLOCK])
        connection.execute(_BLOCKS, {**asdict(flow), "due": due, "ids": block})


def unpark(database: Database, now: datetime) -> int:
    """Deals turns to blocks that have become due; returns how many. A claim finds them without,
    but last of all."""
    values = {"now": now, "most": _UNPARKED}
    return len(database.run(lambda connection: rows(connection, _UNPARK, values)))


def due_channels(connection: Connection, now: datetime) -> list[str]:
    """The channels on which something is due."""
    return [str(row[0]) for row in rows(connection, _DUE, (now,))]
