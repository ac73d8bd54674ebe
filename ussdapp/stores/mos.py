"""Knows the texts that came in: kept before anything is done, a repeat told from a new one."""

from datetime import datetime, timedelta
from typing import Any, Final

from ussdapp.core.inbound import Mo
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.seal import Seal

SENDER: Final = "mos.sender"
TEXT: Final = "mos.text"
# Where the operator gives no id, the same words from the same handset within this time are one
# text delivered again (faults.md row 75).
_REPEATED_WITHIN: Final = timedelta(seconds=60)
_KEEP: Final = """
    INSERT INTO mos (effect, channel, content_index, sender_sealed, text_sealed, received_at)
    VALUES (%(effect)s, %(channel)s, %(content)s, %(sender)s, %(text)s, %(at)s)
    ON CONFLICT (effect) DO NOTHING
"""
_BEFORE: Final = """
    SELECT effect FROM mos WHERE content_index = %s AND received_at > %s
    ORDER BY received_at LIMIT 1
"""


class PgMos:
    """Keeps ports.Mos."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def keep(self, mo: Mo, at: datetime) -> str:
        """Commits it and returns its effect key; a repeat gets the first one's key."""
        content = self._seal.content_index(f"{mo.channel}:{mo.key}")
        if not mo.keyed_by_content:
            effect = f"mo:{content.hex()}"
            self._database.run(lambda connection: self._insert(connection, mo, effect, content, at))
            return effect

        def work(connection: Connection) -> str:
            lock = int.from_bytes(content[:8], signed=True)
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            before = first(connection, _BEFORE, (content, at - _REPEATED_WITHIN))
            if before:
                return str(before[0])
            effect = f"mo:{content.hex()}:{at.timestamp():.6f}"
            self._insert(connection, mo, effect, content, at)
            return effect

        return self._database.run(work)

    def settle(self, effect: str, status: str) -> None:
        """Notes what became of it: answered, over_cap (the MSISDN had its share of automatic
        answers) or no_subscriber."""
        query = "UPDATE mos SET status = %s WHERE effect = %s AND status = 'kept'"

        def work(connection: Connection) -> None:
            connection.execute(query, (status, effect))

        self._database.run(work)

    def _insert(
        self, connection: Connection, mo: Mo, effect: str, content: bytes, at: datetime
    ) -> None:
        values: dict[str, Any] = {
            "effect": effect,
            "channel": mo.channel,
            "content": content,
            "sender": self._seal.close_text(mo.sender, SENDER),
            "text": self._seal.close_text(mo.text, TEXT),
            "at": at,
        }
        connection.execute(_KEEP, values)
