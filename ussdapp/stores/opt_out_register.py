"""Knows what an institution sees of the register of opt-outs, and what it may change of it.

It is told of opt-outs from its own texts, and of general ones of those it has texted: of others it
would learn MSISDNs that it never had.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from ussdapp.core.inbound import KeyHolder
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import (
    Change,
    CitizensWord,
    Learnt,
    NoSuchOptOut,
    OptedOut,
    OptOutPage,
)
from ussdapp.core.simulated import SIMULATED, STATUSES
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.notifications import MSISDN
from ussdapp.stores.packs import Pack, Packs
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal

_LOOKED_AT: Final = 1000  # opt-outs that one page is picked from
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MINE: Final[LiteralString] = "(SELECT id FROM institutions WHERE short_name = %(institution)s)"
# A test key is in many hands: it sees what was simulated and no citizen's MSISDN.
_SEEN: Final[LiteralString] = "(%(live)s OR msisdn_index = ANY (%(simulated)s))"
_CHANGED: Final[LiteralString] = """
    AND changed_at > %(after)s AND changed_at >= %(since)s
    ORDER BY changed_at FETCH FIRST %(most)s ROWS WITH TIES"""
_LOOKED: Final[LiteralString] = (
    "WITH looked AS MATERIALIZED (SELECT * FROM ((SELECT * FROM opt_outs WHERE institution_id = "  # noqa: S608
    + _MINE
    + _CHANGED
    + ") UNION ALL (SELECT * FROM opt_outs WHERE institution_id IS NULL"
    + _CHANGED
    + ")) o ORDER BY changed_at FETCH FIRST %(most)s ROWS WITH TIES)"
)
# Whom the institution texted itself (an answer to a case may go to whom it must not know): it names
# the MSISDN as well where the opt-out was learnt without one.
_TEXTED: Final[LiteralString] = (
    """LEFT JOIN LATERAL (SELECT n.id, n.pack_id, c.msisdn_sealed FROM notifications n
        LEFT JOIN contents c ON c.notification_id = n.id WHERE n.msisdn_index = o.msisdn_index
        AND n.channel <> %(simulation)s AND (n.bulk_id IS NOT NULL OR c.body_index IS NOT NULL)
        AND n.institution_id = """  # noqa: S608
    + _MINE
    + " ORDER BY n.accepted_at DESC LIMIT 1) s ON true"
)
_COLUMNS: Final[LiteralString] = """
    SELECT o.id, coalesce(o.msisdn_sealed, s.msisdn_sealed), i.short_name, o.from_at, o.until_at,
        o.learnt, o.ended, o.changed_at,
        (SELECT json_agg(json_build_array(g.at, g.learnt) ORDER BY g.at, g.learnt)
            FROM opt_out_grounds g WHERE g.opt_out_id = o.id), s.id, s.pack_id
"""
_PAGE: Final = (
    _LOOKED
    + _COLUMNS
    + "FROM looked o LEFT JOIN institutions i ON i.id = o.institution_id "
    + _TEXTED
    + " WHERE (o.institution_id IS NOT NULL OR s.id IS NOT NULL) AND "
    + _SEEN
    + " ORDER BY o.changed_at FETCH FIRST %(limit)s ROWS WITH TIES"
)
_LEFT: Final = _LOOKED + "SELECT count(*), max(changed_at) FROM looked"  # noqa: S608
_ONE: Final = (
    _COLUMNS
    + "FROM opt_outs o JOIN institutions i ON i.id = o.institution_id "
    + _TEXTED
    + " WHERE o.id = %(id)s AND i.short_name = %(institution)s AND "
    + _SEEN
)
_LATEST: Final = (
    _COLUMNS
    + "FROM opt_outs o LEFT JOIN institutions i ON i.id = o.institution_id "
    + _TEXTED
    + """ WHERE %(institution)s::text IS NULL OR i.short_name = %(institution)s
    ORDER BY o.changed_at DESC, o.id DESC LIMIT %(most)s"""
)
_OUT: Final[LiteralString] = (
    "SELECT opt_out(%(index)s, %(sealed)s, " + _MINE + ", 'institution', %(since)s, %(now)s)"
)
_STAFF: Final = KeyHolder(0, "", live=True, scopes=frozenset())
_END: Final = """
    UPDATE opt_outs SET until_at = %(now)s, ended = 'institution', changed_at = %(now)s
    WHERE id = %(id)s
"""
_LOCK: Final = "SELECT FROM opt_outs WHERE id = %(id)s FOR UPDATE"


class PgOptOutRegister:
    """All raise Unavailable."""

    def __init__(self, database: Database, seal: Seal, index_key: bytes) -> None:
        self._database = database
        self._seal = seal
        self._ids = PublicIds(index_key, "optout")
        self._cursors = PublicIds(index_key, "optouts")
        self._simulated = [seal.index(Msisdn(digits)) for digits in STATUSES]

    def is_cursor(self, shown: str) -> bool:
        """Whether a page may begin there."""
        return self._cursors.read(shown) is not None

    def page(
        self, holder: KeyHolder, cursor: str | None, limit: int, since: datetime | None
    ) -> OptOutPage:
        """What concerns the holder and changed since then, the oldest change first: about `limit`
        after the cursor; those that changed at one moment stay together."""
        values = {
            **self._of(holder),
            "after": _moment(self._cursors.read(cursor) or 0) if cursor else _EPOCH,
            "since": since or _EPOCH,
            "most": max(_LOOKED_AT, limit),
            "limit": limit,
        }

        def work(connection: Connection) -> tuple[list[Any], tuple[OptedOut, ...], Any]:
            page = sorted(rows(connection, _PAGE, values), key=lambda row: (row[7], row[0]))
            return page, self._told(connection, page), first(connection, _LEFT, values)

        found, told, (looked_at, last) = self._database.run(work)
        if len(found) >= limit:
            last = found[-1][7]
        elif looked_at < values["most"]:
            last = None
        following = self._cursors.shown(_microseconds(last)) if last else None
        return OptOutPage(told, following)

    def latest(self, institution: str | None, most: int) -> tuple[OptedOut, ...]:
        """For staff: those that changed last, of one institution or of any."""
        values = {**self._of(_STAFF), "institution": institution, "most": most}
        return self._database.run(lambda link: self._told(link, rows(link, _LATEST, values)))

    def record(self, holder: KeyHolder, msisdn: Msisdn, since: datetime, now: datetime) -> OptedOut:
        """Commits what a citizen told the holder's institution; again it is the same."""
        values = {
            **self._of(holder),
            "index": self._seal.index(msisdn),
            "sealed": self._seal.close_text(msisdn.digits, MSISDN),
            "since": since,
            "now": now,
        }

        def work(connection: Connection) -> OptedOut:
            row = first(connection, _OUT, values)
            assert row
            _note(connection, holder, "opt_out.recorded", row[0], now)
            (one,) = self._told(connection, rows(connection, _ONE, {**values, "id": row[0]}))
            return one

        return self._database.run(work)

    def withdraw(self, holder: KeyHolder, shown: str, now: datetime) -> OptedOut:
        """Ends what the holder's institution recorded and nobody else told of; again it is the
        same. Raises NoSuchOptOut, CitizensWord."""
        values = {**self._of(holder), "id": self._ids.read(shown), "now": now}

        def work(connection: Connection) -> OptedOut:
            connection.execute(_LOCK, values)
            row = first(connection, _ONE, values)
            if row is None:
                raise NoSuchOptOut
            if row[5] != Learnt.INSTITUTION.value:
                raise CitizensWord
            if row[4] is None:
                connection.execute(_END, values)
                _note(connection, holder, "opt_out.withdrawn", row[0], now)
            (one,) = self._told(connection, rows(connection, _ONE, values))
            return one

        return self._database.run(work)

    def _of(self, holder: KeyHolder) -> dict[str, Any]:
        return {
            "institution": holder.institution,
            "live": holder.live,
            "simulated": self._simulated,
            "simulation": SIMULATED,
        }

    def _told(self, connection: Connection, found: list[Any]) -> tuple[OptedOut, ...]:
        numbers = {row[10] for row in found if row[1] is None and row[10] is not None}
        packs = Packs(self._seal).opened(connection.cursor(binary=True), numbers)
        return tuple(self._opted_out(row, packs) for row in found)

    def _opted_out(self, row: Any, packs: Mapping[int, Pack]) -> OptedOut:
        number, sealed, institution, since, until, learnt, ended, _, grounds, texted, pack = row
        history = [
            Change(datetime.fromisoformat(at), out=True, learnt=Learnt(how))
            for at, how in grounds or []
        ] or [Change(since, out=True, learnt=None)]
        if until is not None:
            history.append(Change(until, out=False, learnt=Learnt(ended) if ended else None))
        return OptedOut(
            id=self._ids.shown(number),
            msisdn=self._msisdn(sealed, texted, packs.get(pack, {})),
            institution=institution,
            since=since,
            until=until,
            learnt=Learnt(learnt) if learnt else None,
            history=tuple(history),
        )

    def _msisdn(self, sealed: bytes | None, texted: int, pack: Pack) -> Msisdn | None:
        if sealed is not None:
            return Msisdn(self._seal.open_text(sealed, MSISDN))
        found = pack.get(texted)
        return found[0] if found else None


def _note(
    connection: Connection, holder: KeyHolder, action: str, number: int, now: datetime
) -> None:
    audit.note(connection, now, f"key {holder.key_id}", action, f"opt-out {number}")


def _microseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
