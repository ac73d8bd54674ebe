"""Knows how an act is audited: in the transaction of the act, so that there is both or neither."""

from datetime import datetime
from typing import Final

from ussdapp.stores.database import Connection

_AUDIT: Final = "INSERT INTO audit (at, actor, action, subject) VALUES (%s, %s, %s, %s)"


def note(connection: Connection, at: datetime, actor: str, action: str, subject: str) -> None:
    """Who did what to what; never an MSISDN, a text or a secret."""
    connection.execute(_AUDIT, (at, actor, action, subject))
