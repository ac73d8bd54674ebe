"""Knows how each channel stands: its binds, its share of the traffic, and what waits for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ussdapp.core.standing import DOWN
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.leases import SILENT

_LEASES: Final = f"""
    SELECT channel, count(*) FILTER (WHERE NOT {SILENT}),
        count(*) FILTER (WHERE NOT {SILENT} AND bound_at > %(since)s),
        max(bound_at), max(share) FILTER (WHERE NOT {SILENT})
    FROM leases GROUP BY channel
"""  # noqa: S608
_QUEUE: Final = """
    SELECT channel, sum(cardinality(ids)), coalesce(sum(cardinality(ids)) FILTER (
        WHERE due_at <= %(now)s), 0) FROM queue GROUP BY channel
"""


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """How many workers hold one of its binds, how many of those binds are up, when one was last
    up, the share of its traffic it is trusted with, and how many notifications wait, of those how
    many are due."""

    held: int = 0
    up: int = 0
    last_up: datetime | None = None
    share: float | None = None
    waiting: int = 0
    due: int = 0


def standings(database: Database, now: datetime) -> Mapping[str, ChannelStanding]:
    """By channel, as far as leases and queue know any."""

    def work(connection: Connection) -> tuple[dict[str, tuple[int, int]], list[tuple[object, ...]]]:
        waits = {
            row[0]: (int(row[1]), int(row[2])) for row in rows(connection, _QUEUE, {"now": now})
        }
        return waits, rows(connection, _LEASES, {"since": now - DOWN})

    waits, leases = database.run(work)
    found = {str(row[0]): ChannelStanding(*row[1:]) for row in leases}  # type: ignore[arg-type]
    for channel, (waiting, due) in waits.items():
        known = found.get(channel, ChannelStanding())
        found[channel] = ChannelStanding(
            known.held, known.up, known.last_up, known.share, waiting, due
        )
    return found
