"""Knows the keys of institutions: whom each speaks for, and how they begin and end.

A process asks PostgreSQL for a key once in a few seconds, so that a revoked one is refused
everywhere within five; that is also when its last use is noted.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final, LiteralString

from ussdapp.core.keys import MOST_LIVE, OVERLAP, IssuedKey, KeyRequest, MgovKey
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.seal import Seal

_KNOWN_S: Final = 4.0  # seconds for which a key is not asked for again
_MOST_KNOWN: Final = 10_000
_USED: Final = timedelta(seconds=60)  # how exactly the last use is known
_ABOUT: Final = "keys.secret_sealed"
_COLUMNS: Final[LiteralString] = """
    SELECT k.id, i.short_name, k.live, k.scopes, k.networks, k.per_second, k.expires_at,
        ARRAY(SELECT c.value FROM codes c WHERE c.institution_id = i.id
            AND c.kind = 'sender_id' AND c.status = 'allotted'),
        k.last_used_at IS NULL OR k.last_used_at < %(now)s - %(used)s,
        k.secret_sealed, k.mobile_service_id, k.owner, i.plain_text
    FROM keys k JOIN institutions i ON i.id = k.institution_id
    WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %(now)s)
"""
_BY_KEY: Final = _COLUMNS + "AND k.key_index = %(named)s AND k.sys_id IS NULL"
_BY_SYS_ID: Final = _COLUMNS + "AND k.sys_id = %(named)s ORDER BY k.id DESC"
_BY_USER_ID: Final = _COLUMNS + "AND k.user_id = %(named)s ORDER BY k.id DESC"
_USE: Final = "UPDATE keys SET last_used_at = greatest(last_used_at, %s) WHERE id = ANY (%s)"
_ISSUE: Final = """
    INSERT INTO keys (institution_id, name, key_index, live, scopes, networks, per_second,
        expires_at, sys_id, user_id, mobile_service_id, secret_sealed, owner)
    SELECT id, %(name)s, %(key_index)s, %(live)s, %(scopes)s, %(networks)s::cidr[], %(per_second)s,
        %(expires_at)s, %(sys_id)s, %(user_id)s, %(mobile_service_id)s, %(secret_sealed)s,
        %(owner)s
    FROM institutions WHERE short_name = %(institution)s
"""
_LIVE: Final = """
    SELECT count(*) FROM keys k JOIN institutions i ON i.id = k.institution_id
    WHERE i.short_name = %s AND k.name = %s AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > %s)
"""
_LOCK: Final = "SELECT id FROM institutions WHERE short_name = %s FOR UPDATE"
_REPLACE: Final = """
    WITH before AS (SELECT id, expires_at FROM keys WHERE id = %s FOR UPDATE)
    UPDATE keys k SET expires_at = least(k.expires_at, %s) FROM institutions i, before b
    WHERE k.id = b.id AND i.id = k.institution_id AND k.revoked_at IS NULL AND k.sys_id IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > %s)
    RETURNING i.short_name, k.name, k.scopes, k.live, k.networks::text[], k.per_second,
        b.expires_at, k.owner, k.secret_sealed IS NOT NULL
"""
_NO_MGOV: Final = {
    "sys_id": None, "user_id": None, "mobile_service_id": None, "secret_sealed": None,
}  # fmt: skip


class TooManyKeys(ValueError):
    """Two keys of that name are good already: revoke one first."""


class PgKeys:
    """All raise Unavailable. `ticks` are monotonic seconds."""

    def __init__(self, database: Database, seal: Seal, ticks: Callable[[], float]) -> None:
        self._database = database
        self._seal = seal
        self._ticks = ticks
        self._known: dict[tuple[str, str], tuple[float, list[MgovKey]]] = {}
        self._lock = threading.Lock()

    def holder(self, key: str, at: datetime) -> IssuedKey | None:
        """Whom an unexpired, unrevoked key speaks for."""
        # what is remembered is the digest: a memory image shall not hold everybody's keys
        found = self._found(_BY_KEY, ("key", self._seal.key_index(key).hex()), at)
        return found[0].holder if found else None

    def of_system(self, sys_id: str, at: datetime) -> list[MgovKey]:
        """The mGov keys of a system, at most two while rotating."""
        return self._found(_BY_SYS_ID, ("sys", sys_id), at)

    def of_user(self, user_id: str, at: datetime) -> list[MgovKey]:
        """The mGov keys of a portal user."""
        return self._found(_BY_USER_ID, ("user", user_id), at)

    def issue(self, request: KeyRequest, key: str, at: datetime, secret: str | None = None) -> None:
        """Keeps the digest of a new key, and sealed the secret that shall sign what is sent with
        it. Raises LookupError for an unknown institution, TooManyKeys, and ValueError for what is
        no network."""
        self._issue(request, self._kept(key, secret), at)

    def issue_mgov(
        self, request: KeyRequest, secret: str, names: dict[str, str], at: datetime
    ) -> None:
        """Keeps a new mGov key; `names` are sys_id, user_id and mobile_service_id. Raises as
        issue."""
        sealed = self._seal.close_text(secret, _ABOUT)
        index = self._seal.key_index(f"mgov:{secret}")
        self._issue(request, {**names, "secret_sealed": sealed, "key_index": index}, at)

    def replace(self, number: int, key: str, at: datetime, secret: str | None = None) -> None:
        """Keeps a key that takes another's place and signs where that one does; that one is good
        for OVERLAP more, at most.
        Raises LookupError, TooManyKeys."""

        def work(connection: Connection) -> None:
            row = first(connection, _REPLACE, (number, at + OVERLAP, at))
            if row is None:
                raise LookupError(f"no key in use has the number {number}")
            request = KeyRequest(row[0], row[1], tuple(row[2]), row[3], tuple(row[4]), *row[5:8])
            if row[8] is not (secret is not None):
                raise LookupError(f"key {number} {'signs' if row[8] else 'does not sign'}")
            _insert(connection, request, self._kept(key, secret), at)

        self._database.run_once(work)

    def _kept(self, key: str, secret: str | None) -> dict[str, Any]:
        sealed = self._seal.close_text(secret, _ABOUT) if secret is not None else None
        index = self._seal.key_index(key)
        return {**_NO_MGOV, "key_index": index, "secret_sealed": sealed}

    def _issue(self, request: KeyRequest, values: dict[str, Any], at: datetime) -> None:
        for network in request.networks:
            ip_network(network)
        self._database.run_once(lambda link: _insert(link, request, values, at))

    def _found(self, query: LiteralString, named: tuple[str, str], at: datetime) -> list[MgovKey]:
        now = self._ticks()
        known = self._known.get(named)
        if known is None or known[0] <= now:
            known = (now + _KNOWN_S, self._asked(query, named, at))
            self._remember(named, known, now)
        return [one for one in known[1] if one.holder.good_at(at)]

    def _remember(
        self, named: tuple[str, str], known: tuple[float, list[MgovKey]], now: float
    ) -> None:
        with self._lock:
            if known[1]:
                self._known[named] = known
            else:
                # whoever tries keys shall not fill the memory
                self._known.pop(named, None)
            if len(self._known) > _MOST_KNOWN:
                self._known = {name: one for name, one in self._known.items() if one[0] > now}

    def _asked(self, query: LiteralString, named: tuple[str, str], at: datetime) -> list[MgovKey]:
        kind, name = named
        values = {"named": bytes.fromhex(name) if kind == "key" else name, "now": at}

        def work(connection: Connection) -> list[MgovKey]:
            found = rows(connection, query, {**values, "used": _USED})
            if unused := [row[0] for row in found if row[8]]:
                connection.execute(_USE, (at, unused))
            return [self._key(row) for row in found]

        return self._database.run(work)

    def _key(self, row: tuple[Any, ...]) -> MgovKey:
        number, institution, live, scopes, networks, per_second, expires_at, sender_ids = row[:8]
        secret = self._seal.open_text(row[9], _ABOUT) if row[9] else ""
        # an mGov key's secret signs as mGov says: in its own place
        ours = "" if row[10] else secret
        holder = IssuedKey(
            number, institution, live, frozenset(scopes), tuple(networks), per_second, expires_at,
            frozenset(sender_ids), row[11], ours, row[12],
        )  # fmt: skip
        return MgovKey(holder, secret, row[10] or "")


def _insert(
    connection: Connection, request: KeyRequest, values: dict[str, Any], at: datetime
) -> None:
    if first(connection, _LOCK, (request.institution,)) is None:
        raise LookupError(f"no institution has the short name {request.institution!r}")
    row = first(connection, _LIVE, (request.institution, request.name, at))
    if row and row[0] >= MOST_LIVE:
        raise TooManyKeys(f"two keys named {request.name!r} are good: revoke one of them first")
    connection.execute(
        _ISSUE,
        {
            **values,
            "institution": request.institution,
            "name": request.name,
            "live": request.live,
            "scopes": list(request.scopes),
            "networks": list(request.networks),
            "per_second": request.per_second,
            "expires_at": request.expires_at,
            "owner": request.owner,
        },
    )
    subject = f"{request.institution}/{request.name}"
    audit.note(connection, at, "command line", "key.issued", subject)
