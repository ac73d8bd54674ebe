"""Knows where an MSISDN is reached, and moves what waits on a channel that is down or unwell."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.standing import DOWN
from ussdapp.stores.database import Connection, Database, columns, rows
from ussdapp.stores.seal import Seal

_MOST: Final = 5000  # notifications moved in one round of each channel
_PATIENCE: Final = timedelta(seconds=1)  # a healthy channel takes its work sooner
_TOLD: Final = """
    INSERT INTO networks SELECT *, %(told_by)s, %(at)s
    FROM unnest(%(indexes)s::bytea[], %(channels)s::text[])
    ON CONFLICT (msisdn_index) DO UPDATE SET channel = excluded.channel,
        told_by = excluded.told_by, told_at = excluded.told_at
    WHERE (excluded.told_by = 'inbound' OR networks.told_by = 'ported')
        AND (networks.channel, networks.told_by) <> (excluded.channel, excluded.told_by)
"""
_FORGET: Final = "DELETE FROM networks WHERE channel <> ALL (%s)"
# A part of the blocks as large as the channel is not trusted with; all of them while it is down;
# none while the fallback is down as well.
# One in doubt stays: its receipt is looked for on the channel that may have taken it.
_REROUTE: Final = """
    WITH fares AS (
        SELECT coalesce(max(share) FILTER (WHERE channel = %(channel)s), 0) AS share
        FROM leases WHERE bound_at > %(down)s
        HAVING bool_or(channel = %(fallback)s)),
    locked AS (
        SELECT q.*, f.share FROM queue q, fares f
        WHERE q.channel = %(channel)s AND q.due_at <= %(waited)s
            AND (q.id %% 100) >= 100 * f.share
            AND (f.share > 0 OR q.due_at <= %(down)s)
            AND NOT EXISTS (SELECT FROM doubts d WHERE d.notification_id = ANY (q.ids))
        ORDER BY q.rank, q.turn, q.id LIMIT 1000 FOR UPDATE OF q SKIP LOCKED),
    summed AS (
        SELECT *, sum(cardinality(ids)) OVER (ORDER BY rank, turn, id) - cardinality(ids) AS before
        FROM locked),
    blocks AS (SELECT * FROM summed WHERE before < %(most)s),
    moved AS (
        UPDATE queue q SET channel = %(fallback)s,
            turn = next_turn(%(fallback)s, q.rank, q.institution_id, q.bulk_id, q.due_at)
        FROM blocks b WHERE q.id = b.id),
    told AS (
        UPDATE notifications n SET channel = %(fallback)s, detail = 'rerouted'
        FROM blocks b WHERE n.id = ANY (b.ids) AND n.status = 'queued')
    SELECT coalesce(sum(cardinality(ids)), 0) FROM blocks
"""


class PgRoutes:
    """Keeps ports.Reroutes and ports.Networks."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        channels: Sequence[str],
        fallbacks: Mapping[str, str],
    ) -> None:
        self._database = database
        self._seal = seal
        self._fallbacks = dict(fallbacks)
        self._gone: Sequence[str] | None = channels  # what else networks name is forgotten once

    def inbound(self, msisdn: Msisdn, channel: str, at: datetime) -> None:
        """An inbound came from that channel's network; what is known already costs one read."""
        self._tell([(msisdn, channel)], "inbound", at)

    def ported(self, numbers: Sequence[tuple[Msisdn, str]], at: datetime) -> None:
        """Numbers of the table of ported numbers, each with the channel of its network."""
        self._tell(numbers, "ported", at)

    def reroute(self, now: datetime) -> int:
        """Moves what waits where it is not delivered; returns how many notifications."""

        def work(connection: Connection) -> int:
            if self._gone is not None:
                connection.execute(_FORGET, (list(self._gone),))
            return sum(
                int(rows(connection, _REROUTE, {
                    "channel": channel,
                    "fallback": fallback,
                    "down": now - DOWN,
                    "waited": now - _PATIENCE,
                    "most": _MOST,
                })[0][0])
                for channel, fallback in self._fallbacks.items()
            )  # fmt: skip

        moved = self._database.run(work) if self._fallbacks or self._gone is not None else 0
        self._gone = None
        return moved

    def _tell(self, numbers: Sequence[tuple[Msisdn, str]], told_by: str, at: datetime) -> None:
        table = [(self._seal.index(msisdn), channel) for msisdn, channel in numbers]
        indexes, channels = columns(table, 2)
        values = {"indexes": indexes, "channels": channels, "told_by": told_by, "at": at}
        self._database.run(lambda connection: connection.execute(_TOLD, values) and None)
