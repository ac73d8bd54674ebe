"""Knows what became of an institution's notifications; of another's it finds nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, LiteralString

from ussdapp.core.history import History, Page, Sent, Try, events
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.parts import Encoding
from ussdapp.core.quiet import BULK_HOURS, Hours
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status
from ussdapp.stores.accepted import REFERENCE, reference_index
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.notifications import MSISDN
from ussdapp.stores.packs import Pack, Packs
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal
from ussdapp.stores.why import why

_LOOKED_AT: Final = 5000  # notifications that one page is picked from
_LOOKED_AT_LEAST: Final = 500
# What the gateway writes by itself in an institution's name (a reference, an answer to a case) is
# not shown: its MSISDN may be one that a citizen hides from that institution.
SENT_BY_IT: Final[LiteralString] = """
    AND (n.class <> 'receipt' OR n.effect IS NULL OR (SELECT s.body_index IS NOT NULL
        FROM contents s WHERE s.notification_id = n.id))
"""
# A test key is in many hands: it sees what was simulated and no citizen's MSISDN.
_SENT: Final[LiteralString] = """
    SELECT n.id, n.stands, c.msisdn_sealed, n.class, n.sender_id, n.encoding, n.parts,
        c.reference_sealed, n.accepted_at, n.status_at, n.detail, n.attempts, n.parts_delivered,
        n.pack_id, n.row_no
"""
_ONE: Final = (
    _SENT  # noqa: S608
    + """
    FROM notifications_now n LEFT JOIN contents c ON c.notification_id = n.id
    WHERE n.id = %(id)s AND (%(live)s OR n.channel = %(simulated)s) AND n.institution_id =
        (SELECT id FROM institutions WHERE short_name = %(institution)s)
"""
    + SENT_BY_IT
)
_TRIES: Final = """
    SELECT journaled_at, answered_at, outcome, detail FROM attempts WHERE notification_id = %(id)s
    UNION ALL
    SELECT min(submitted_at), min(submitted_at), 'submitted', '' FROM submits s
    WHERE notification_id = %(id)s AND told AND NOT EXISTS (SELECT FROM attempts a
        WHERE (a.notification_id, a.attempt) = (s.notification_id, s.attempt))
    GROUP BY attempt
    ORDER BY 1
"""
_REFERRED: Final[LiteralString] = " AND n.reference_index = %(reference)s"
_OF_BULK: Final[LiteralString] = " AND n.bulk_id = %(bulk)s"
_PICK: Final[LiteralString] = """
    standing AS (
        SELECT *, CASE WHEN status = 'queued' AND id IN (SELECT unnest(ids) FROM windows)
            THEN 'submitting' ELSE status END AS stands
        FROM looked),
    picked AS (
        SELECT * FROM standing n WHERE (%(live)s OR n.channel = %(simulated)s)
            AND (%(status)s::text IS NULL OR stands = %(status)s)"""
_PICKED: Final[LiteralString] = """
        ORDER BY place DESC LIMIT %(limit)s)"""
_SHOW: Final[LiteralString] = """, n.place, (SELECT count(*) FROM looked),
        (SELECT min(place) FROM looked)
    FROM picked n LEFT JOIN contents c ON c.notification_id = n.id ORDER BY n.place DESC
"""
_LEFT: Final[LiteralString] = "SELECT count(*), min(place) FROM looked"


class PgHistories:
    """All raise Unavailable."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        ids: PublicIds,
        cursors: PublicIds,
        bulk_hours: Hours = BULK_HOURS,
    ) -> None:
        self._database = database
        self._seal = seal
        self._ids = ids
        self._cursors = cursors
        self._bulk_hours = bulk_hours

    def one(self, holder: KeyHolder, shown: str, now: datetime) -> History | None:
        """One of the holder's notifications by its id, None for another's and for none."""
        number = self._ids.read(shown)
        if number is None:
            return None
        values = {**_of(holder), "id": number}

        def work(connection: Connection) -> tuple[list[Sent], list[Any]]:
            found = self._sent(connection, rows(connection, _ONE, values))
            return found, rows(connection, _TRIES, values) if found else []

        found, tries = self._database.run(work)
        if not found:
            return None
        sent = found[0]
        told = why(self._database, number, now, self._bulk_hours)
        return History(sent, events(sent, [Try(*one) for one in tries]), told or "")

    def is_cursor(self, shown: str) -> bool:
        """Whether a page may begin there."""
        return self._cursors.read(shown) is not None

    def page(
        self,
        holder: KeyHolder,
        cursor: str | None,
        limit: int,
        reference: str | None = None,
        status: Status | None = None,
        bulk: int | None = None,
    ) -> Page:
        """The holder's notifications older than the cursor, at most `limit` of them; those of a
        bulk by its rows, the last first."""
        before = self._cursors.read(cursor) if cursor is not None else 2**63 - 1
        values = {
            **_of(holder),
            "before": before,
            "reference": reference_index(self._seal, holder.institution, reference),
            "status": status.value if status else None,
            "bulk": bulk,
            "most": _LOOKED_AT if status or not holder.live else max(limit + 1, _LOOKED_AT_LEAST),
            "limit": limit,
        }

        among = (_REFERRED if reference is not None else "") + (
            _OF_BULK if bulk is not None else ""
        )
        # a bulk's index knows its rows in no other order
        look = _looked(among, "n.id" if bulk is None else "n.row_no") + SENT_BY_IT + _PICKED

        def work(connection: Connection) -> tuple[list[Any], list[Sent], Any]:
            found = rows(connection, look + _SENT + _SHOW, values)
            left = found[-1][-2:] if found else first(connection, look + _LEFT, values)
            return found, self._sent(connection, found), left

        found, sent, (looked_at, oldest) = self._database.run(work)
        return Page(tuple(sent), self._next(found, values, looked_at, oldest))

    def _next(
        self, found: list[Any], values: dict[str, Any], looked_at: int, oldest: int | None
    ) -> str | None:
        """Where the next page begins: after the last that was shown where the page is full, else
        after the last that was looked at."""
        if oldest is None:
            return None
        full = len(found) == values["limit"]
        if full and found[-1][-3] != oldest:
            return self._cursors.shown(found[-1][-3])
        return self._cursors.shown(oldest) if looked_at == values["most"] else None

    def _sent(self, connection: Connection, found: list[Any]) -> list[Sent]:
        packs = Packs(self._seal).opened(
            connection.cursor(binary=True), {row[13] for row in found if row[13] is not None}
        )
        return [self._one_sent(row, packs) for row in found]

    def _one_sent(self, row: Any, packs: Mapping[int, Pack]) -> Sent:
        seal = self._seal
        reference = seal.open_text(row[7], REFERENCE) if row[7] is not None else None
        packed = row[2] is None
        return Sent(
            id=self._ids.shown(row[0]),
            status=Status(row[1]),
            msisdn=packs[row[13]][row[0]][0] if packed else Msisdn(seal.open_text(row[2], MSISDN)),
            klass=Class(row[3]),
            sender_id=row[4],
            encoding=Encoding(row[5]),
            parts=row[6],
            reference=reference,
            accepted_at=row[8],
            status_at=row[9],
            detail=row[10],
            attempts=row[11],
            parts_delivered=row[12],
            row=row[14],
        )


def _looked(among: LiteralString, place: LiteralString) -> LiteralString:
    """So many are looked at and no more, however rare the status: a page may be short."""
    return (
        "WITH looked AS MATERIALIZED (SELECT n.*, "  # noqa: S608
        + place
        + """ AS place FROM notifications n
        WHERE n.institution_id = (SELECT id FROM institutions WHERE short_name = %(institution)s)
            AND """
        + place
        + " < %(before)s"
        + among
        + " ORDER BY "
        + place
        + " DESC LIMIT %(most)s),"
        + _PICK
    )


def _of(holder: KeyHolder) -> dict[str, Any]:
    return {"institution": holder.institution, "live": holder.live, "simulated": SIMULATED}
