"""Knows which bulks an operator refuses for their sender ID, and stops them (faults.md row 42)."""

from datetime import datetime
from typing import Final

from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.database import Database, rows

BY: Final = "gateway"
CODE: Final = "sender_id_refused"
DETAIL: Final = "It stopped itself: over 20 % of its first rows were refused for the sender ID."
# How refusals of a sender ID are called, by SMPP, Africa's Talking and Beem.
_REFUSALS: Final = [
    "ESME_RINVSRCADR", "ESME_RINVSRCTON", "ESME_RINVSRCNPI", "InvalidSenderId", "SenderIdRefused",
]  # fmt: skip
_FIRST: Final = 1000  # rows of a bulk that are judged
_FEWEST: Final = 50  # answers before it is judged
_BARRED: Final = """
    SELECT b.id, i.short_name, f.rows, f.tried, f.refused
    FROM bulks b JOIN institutions i ON i.id = b.institution_id CROSS JOIN LATERAL (
        SELECT count(*) AS rows, count(*) FILTER (WHERE attempts > 0) AS tried,
            count(*) FILTER (WHERE status = 'rejected' AND detail = ANY (%(refusals)s)) AS refused
        FROM (SELECT attempts, status, detail FROM notifications n WHERE n.bulk_id = b.id
            ORDER BY row_no LIMIT %(first)s) n) f
    WHERE b.ended_at IS NULL AND b.released_at IS NOT NULL AND b.id <> ALL (%(judged)s)
"""
_SAY: Final = "UPDATE bulks SET code = %s, detail = %s WHERE id = %s"


class BarredSenders:
    """Looks at the first rows of each bulk under way, until all of them were tried."""

    def __init__(self, database: Database, bulks: PgBulks) -> None:
        self._database = database
        self._bulks = bulks
        self._judged: set[int] = set()

    def stop(self, now: datetime) -> int:
        """Returns how many bulks were stopped; raises Unavailable."""
        values = {"refusals": _REFUSALS, "first": _FIRST, "judged": list(self._judged)}
        stopped = 0
        for number, institution, known, tried, refused in self._database.run(
            lambda link: rows(link, _BARRED, values)
        ):
            if tried >= _FEWEST and refused * 5 > tried:
                self._stop(institution, number, now)
                stopped += 1
            elif tried == known:
                self._judged.add(number)
        return stopped

    def _stop(self, institution: str, number: int, now: datetime) -> None:
        self._bulks.stop(institution, number, BY, now)
        self._database.run(lambda link: link.execute(_SAY, (CODE, DETAIL, number)) and None)
