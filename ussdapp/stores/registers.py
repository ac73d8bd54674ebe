"""Knows how staff change institutions and see and revoke keys; each change has its audit row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from ussdapp.core.inbound import Institution
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.quotas import recall

_CHANGED: Final = (
    "name_sw", "name_en", "sector", "approval_above", "quota_day", "quota_month", "plain_text",
)  # fmt: skip
_CHANGE: Final = """
    UPDATE institutions SET name_sw = coalesce(%(name_sw)s, name_sw),
        name_en = coalesce(%(name_en)s, name_en), sector = coalesce(%(sector)s, sector),
        approval_above = coalesce(%(approval_above)s, approval_above),
        quota_day = nullif(coalesce(%(quota_day)s, quota_day), 0),
        quota_month = nullif(coalesce(%(quota_month)s, quota_month), 0),
        plain_text = coalesce(%(plain_text)s, plain_text)
    WHERE short_name = %(subject)s RETURNING short_name, name_sw, name_en, sector
"""
_KEYS: Final = """
    SELECT k.id, i.short_name, k.name, k.live, k.scopes, k.created_at, k.revoked_at,
        k.expires_at, k.last_used_at, k.networks::text[], k.per_second, k.sys_id, k.owner,
        k.secret_sealed IS NOT NULL
    FROM keys k JOIN institutions i ON i.id = k.institution_id
    WHERE i.short_name = %(institution)s OR %(institution)s::text IS NULL ORDER BY k.id
"""
_REVOKE: Final = """
    UPDATE keys SET revoked_at = %(at)s WHERE id = %(id)s AND revoked_at IS NULL RETURNING id
"""


@dataclass(frozen=True, slots=True)
class KeyView:
    """An API key as staff see it: everything but the key."""

    id: int
    institution: str
    name: str
    live: bool
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    networks: list[str]
    per_second: int
    sys_id: str | None
    owner: str
    signed: bool  # what is sent with it must be


class PgRegisters:
    """All raise Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(
        self, short_name: str, changes: dict[str, str | int | None], at: datetime
    ) -> Institution:
        """Changes what is given of it: `approval_above` in rows, quotas in parts, of which 0 is
        none, `plain_text`. Raises LookupError."""
        values = {**dict.fromkeys(_CHANGED), **changes, "subject": short_name}

        def work(connection: Connection) -> tuple[Any, ...] | None:
            row = _changed(connection, _CHANGE, values, "institution.changed", at)
            if values["quota_day"] is not None or values["quota_month"] is not None:
                recall(connection, short_name)
            return row

        row = self._database.run_once(work)
        if row is None:
            raise LookupError(f"no institution has the short name {short_name!r}")
        return Institution(*row)

    def keys(self, institution: str | None) -> tuple[KeyView, ...]:
        """The keys of an institution, or all."""
        values = {"institution": institution}
        found = self._database.run(lambda connection: rows(connection, _KEYS, values))
        return tuple(KeyView(*row) for row in found)

    def revoke(self, key_id: int, at: datetime) -> None:
        """Ends a key now. Raises LookupError for one that is none or was revoked before."""
        values = {"id": key_id, "subject": str(key_id)}
        if self._changed(_REVOKE, values, "key.revoked", at) is None:
            raise LookupError(f"no key in use has the number {key_id}")

    def _changed(
        self, query: LiteralString, values: dict[str, Any], action: str, at: datetime
    ) -> tuple[Any, ...] | None:
        return self._database.run_once(lambda link: _changed(link, query, values, action, at))


def _changed(
    connection: Connection, query: LiteralString, values: dict[str, Any], action: str, at: datetime
) -> tuple[Any, ...] | None:
    row = first(connection, query, {**values, "at": at})
    if row is not None:
        audit.note(connection, at, "command line", action, values["subject"])
    return row
