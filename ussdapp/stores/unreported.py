"""Knows what a channel's operator took and has not told the end of."""

from datetime import datetime, timedelta
from typing import Any, Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.ports import Awaited
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.notifications import MSISDN
from ussdapp.stores.packs import Packs
from ussdapp.stores.seal import Seal

_KEPT: Final = timedelta(hours=72)
_MOST: Final = 100_000
_UNREPORTED: Final = """
    SELECT s.message_id, c.msisdn_sealed, s.submitted_at, n.pack_id, n.id
    FROM submits s JOIN notifications n ON n.id = s.notification_id
    LEFT JOIN contents c ON c.notification_id = n.id
    WHERE s.account = %s AND s.told AND s.message_id <> '' AND s.receipt IS NULL
        AND s.submitted_at > %s AND n.status IN ('submitted', 'in_doubt')
    ORDER BY s.submitted_at DESC LIMIT %s
"""


class PgUnreported:
    """What is asked for again when a worker starts."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def of(self, channel: str, now: datetime) -> list[Awaited]:
        """Those of the last 72 hours, the newest first and 100,000 at most; raises Unavailable."""
        values = (channel, now - _KEPT, _MOST)
        return self._database.run(lambda link: self._awaited(link, rows(link, _UNREPORTED, values)))

    def _awaited(self, connection: Connection, found: list[Any]) -> list[Awaited]:
        packs = Packs(self._seal)
        cursor = connection.cursor(binary=True)
        awaited = []
        for message_id, sealed, at, pack, number in found:
            if sealed is None:
                msisdn = packs.opened(cursor, (pack,))[pack][number][0]
            else:
                msisdn = Msisdn(self._seal.open_text(sealed, MSISDN))
            awaited.append(Awaited(message_id, msisdn, at))
        return awaited
