"""Knows the texts that came in: kept before anything is done, a repeat told from a new one."""

from datetime import datetime, timedelta
from typing import Any, Final

from ussdapp.core.inbound import Mo
from ussdapp.ports import KeptMo
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.seal import Seal

SENDER: Final = "mos.sender"
TEXT: Final = "mos.text"
_REPEATED_WITHIN: Final = timedelta(seconds=60)
_KEEP: Final = """
    INSERT INTO mos (effect, channel, content_index, sender_sealed, text_sealed, received_at)
    VALUES (%(effect)s, %(channel)s, %(content)s, %(sender)s, %(text)s, %(at)s)
    ON CONFLICT (effect) DO NOTHING RETURNING effect
"""
_SETTLED: Final = "SELECT status <> 'kept' FROM mos WHERE effect = %s"
_SETTLE: Final = """
    UPDATE mos SET status = %s, keyword = %s,
        institution_id = (SELECT id FROM institutions WHERE short_name = %s)
    WHERE effect = %s AND status = 'kept'
"""
_BEFORE: Final = """
    SELECT effect, status <> 'kept' FROM mos WHERE content_index = %s AND received_at > %s
    ORDER BY received_at LIMIT 1
"""


class PgMos:
    """Keeps ports.Mos."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def keep(self, mo: Mo, at: datetime, within: timedelta = _REPEATED_WITHIN) -> KeptMo:
        """Commits it; a repeat gets the first one's effect key. Where the operator gives no id,
        the same words from the same handset `within` that time are one text delivered again
        (faults.md row 75)."""
        content = self._seal.content_index(f"{mo.channel}:{mo.key}")

        def by_id(connection: Connection) -> KeptMo:
            return self._insert(connection, mo, f"mo:{content.hex()}", content, at)

        def by_content(connection: Connection) -> KeptMo:
            lock = int.from_bytes(content[:8], signed=True)
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            before = first(connection, _BEFORE, (content, at - within))
            if before:
                return KeptMo(*before)
            effect = f"mo:{content.hex()}:{at.timestamp():.6f}"
            return self._insert(connection, mo, effect, content, at)

        return self._database.run(by_content if mo.keyed_by_content else by_id)

    def settle(
        self, effect: str, status: str, institution: str | None = None, keyword: str = ""
    ) -> None:
        """Notes what became of it: answered, over_cap (the MSISDN had its share of automatic
        answers), no_subscriber or handed_over (to the institution whose keyword began it); and
        whom it concerned, which their webhooks are told."""
        values = (status, keyword or None, institution, effect)
        self._database.run(lambda connection: connection.execute(_SETTLE, values) and None)

    def _insert(
        self, connection: Connection, mo: Mo, effect: str, content: bytes, at: datetime
    ) -> KeptMo:
        values: dict[str, Any] = {
            "effect": effect,
            "channel": mo.channel,
            "content": content,
            "sender": self._seal.close_text(mo.sender, SENDER),
            "text": self._seal.close_text(mo.text, TEXT),
            "at": at,
        }
        if first(connection, _KEEP, values):
            return KeptMo(effect, settled=False)
        row = first(connection, _SETTLED, (effect,))
        assert row
        return KeptMo(effect, row[0])
