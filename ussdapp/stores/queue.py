"""Knows the queue: blocks of ids that wait for their turn on a channel, fair between those who
sent them (start-time fair queueing: Goyal, Vin and Cheng, 1996)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, LiteralString

from ussdapp.stores.database import Connection, as_array

QUEUED: Final[LiteralString] = """
    INSERT INTO queue (channel, rank, turn, institution_id, bulk_id, due_at, ids)
    SELECT e.channel, e.rank,
        next_turn(e.channel, e.rank, e.institution_id, e.bulk_id, e.due_at),
        e.institution_id, e.bulk_id, e.due_at, e.ids
"""
# What was claimed before goes first again, once it is due.
AGAIN: Final[LiteralString] = """
    INSERT INTO queue (channel, rank, turn, institution_id, bulk_id, due_at, ids)
    SELECT e.channel, e.rank, coalesce((SELECT q.turn FROM queue q
            WHERE q.channel = e.channel AND q.rank = e.rank ORDER BY q.turn LIMIT 1), 0),
        e.institution_id, e.bulk_id, e.due_at, e.ids
"""
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
