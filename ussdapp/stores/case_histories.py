"""Knows what institutions read of their cases; of another's it finds nothing."""

from typing import Any, Final, LiteralString

from ussdapp.core.case import ANSWERED_WITHIN, DUE, CaseStatus, Kind, Visibility
from ussdapp.core.case_history import (
    CaseHistory,
    CasePage,
    Happened,
    ListedCase,
    Sought,
    What,
    events,
)
from ussdapp.core.reference import Reference
from ussdapp.stores.cases import ANSWER, WORDS
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal

_LISTED: Final[LiteralString] = """
    SELECT c.id, c.reference, i.short_name, c.kind, c.status, c.visibility, c.medium, c.language,
        c.received_at, c.words_sealed
    FROM cases c JOIN institutions i ON i.id = c.institution_id
    WHERE i.short_name = %(institution)s
"""
_ONE: Final = _LISTED + " AND c.reference = %(reference)s"
_PAGE: Final = (
    _LISTED
    + """
    AND c.id < %(before)s
    AND (%(status)s::text IS NULL OR c.status = %(status)s)
    AND (%(kind)s::text IS NULL OR c.kind = %(kind)s)
    AND (%(received_before)s::timestamptz IS NULL
        OR (c.received_at < %(received_before)s AND c.status = ANY (%(due)s)))
    ORDER BY c.id DESC LIMIT %(most)s
"""
)
_EVENTS: Final = """
    SELECT e.at, e.what, e.status, e.words_sealed, f.short_name, t.short_name
    FROM case_events e LEFT JOIN institutions f ON f.id = e.from_id
        LEFT JOIN institutions t ON t.id = e.to_id
    WHERE e.case_id = %s ORDER BY e.id
"""


class PgCaseHistories:
    """Keeps ports.CaseHistories."""

    def __init__(self, database: Database, seal: Seal, cursors: PublicIds) -> None:
        self._database = database
        self._seal = seal
        self._cursors = cursors

    def one(self, institution: str, reference: Reference) -> CaseHistory | None:
        """A case the institution has, None for another's and for none."""
        values = {"institution": institution, "reference": reference.digits}

        def work(connection: Connection) -> tuple[Any, list[Any]]:
            row = first(connection, _ONE, values)
            return row, rows(connection, _EVENTS, (row[0],)) if row else []

        row, found = self._database.run(work)
        if row is None:
            return None
        happened = [self._happened(one) for one in found]
        words = self._seal.open_text(row[9], WORDS)
        return CaseHistory(_listed(row), words, events(happened, row[2]))

    def is_cursor(self, shown: str) -> bool:
        """Whether a page may begin there."""
        return self._cursors.read(shown) is not None

    def page(self, institution: str, sought: Sought, cursor: str | None, limit: int) -> CasePage:
        """The institution's cases older than the cursor, at most `limit` of them."""
        due_before = sought.due_before
        values = {
            "institution": institution,
            "before": self._cursors.read(cursor) if cursor is not None else 2**63 - 1,
            "status": sought.status.value if sought.status else None,
            "kind": sought.kind.value if sought.kind else None,
            "received_before": due_before - ANSWERED_WITHIN if due_before else None,
            "due": [one.value for one in DUE],
            "most": limit + 1,
        }
        found = self._database.run(lambda connection: rows(connection, _PAGE, values))
        more = self._cursors.shown(found[limit - 1][0]) if len(found) > limit else None
        return CasePage(tuple(_listed(row) for row in found[:limit]), more)

    def _happened(self, row: Any) -> Happened:
        words = self._seal.open_text(row[3], ANSWER) if row[3] else ""
        return Happened(row[0], What(row[1]), CaseStatus(row[2]), words, row[4], row[5])


def _listed(row: Any) -> ListedCase:
    return ListedCase(
        reference=Reference(row[1]),
        institution=row[2],
        kind=Kind(row[3]),
        status=CaseStatus(row[4]),
        visibility=Visibility(row[5]),
        medium=row[6],
        language=row[7],
        received_at=row[8],
    )
