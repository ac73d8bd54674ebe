"""Knows in which base each account's receipts spell its message ids, as learnt from them."""

from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from ussdapp.core.message_ids import Base, Learnt
from ussdapp.stores.database import Connection, rows

_READ: Final = """
    SELECT account, base, agreeing, other, contrary FROM id_bases WHERE account = ANY (%s)
"""
_WRITE: Final = """
    INSERT INTO id_bases (account, base, agreeing, other, contrary) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (account) DO UPDATE SET base = excluded.base, agreeing = excluded.agreeing,
        other = excluded.other, contrary = excluded.contrary
"""
_AGREED: Final = """
    UPDATE id_bases SET contrary = 0 WHERE account = %s AND base = %s AND contrary > 0
"""

log = structlog.get_logger()


def read_bases(connection: Connection, accounts: Iterable[str]) -> dict[str, Learnt]:
    """What was learnt of those accounts."""
    wanted = sorted(accounts)
    if not wanted:
        return {}
    return {
        account: Learnt(Base(base), agreeing, Base(other) if other else None, contrary)
        for account, base, agreeing, other, contrary in rows(connection, _READ, (wanted,))
    }


def write_bases(
    connection: Connection, before: Mapping[str, Learnt], after: Mapping[str, Learnt]
) -> list[str]:
    """Keeps what was learnt since, and warns where a locked base was another. The accounts of
    which something else is believed now."""
    turned = []
    for account, learnt in sorted(after.items()):
        old = before.get(account, Learnt())
        if learnt == old:
            continue
        other = learnt.other.value if learnt.other else None
        values = (account, learnt.base.value, learnt.agreeing, other, learnt.contrary)
        connection.execute(_WRITE, values)
        if (old.locked, old.base) != (learnt.locked, learnt.base):
            turned.append(account)
        if old.locked and learnt.base is not old.base:
            log.warning("receipt.base_changed", account=account, base=learnt.base.value)
    return turned


def agreed(connection: Connection, account: str, base: Base) -> None:
    """Receipts in the locked base came: those in another were not one after the other."""
    connection.execute(_AGREED, (account, base.value))
