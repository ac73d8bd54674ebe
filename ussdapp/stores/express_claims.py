"""Knows how a single notification that cannot wait is claimed: in one statement, which is also its
transaction, on a connection that no bulk uses."""

from typing import Any, Final, LiteralString

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Lane
from ussdapp.ports import Fenced, Submission
from ussdapp.stores.database import Connection, Database
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.queue import NEXT
from ussdapp.stores.seal import Seal

# A notification that may leave as it is: never tried, in time, wanted, and its MSISDN got nothing
# else lately.
PLAIN: Final[LiteralString] = """
    n.status = 'queued' AND n.attempts = 0 AND NOT n.waited AND NOT n.resent
    AND n.expires_at > %(now)s AND (NOT n.crowded OR n.class = 'urgent')
    AND NOT EXISTS (SELECT FROM opt_outs o WHERE o.msisdn_index = n.msisdn_index
        AND o.until_at IS NULL AND n.class IN ('transaction', 'bulk')
        AND (o.institution_id IS NULL OR o.institution_id = n.institution_id))
"""
# Nearly all are plain, alone in their block, and their contents in no pack. Where one is not,
# nothing is taken, and the claim that weighs them looks.
_CLAIM: Final = f"""{NEXT}
    plain AS MATERIALIZED (
        SELECT l.id AS block, l.rank, l.turn, n.id, n.sender_id, n.expires_at, c.msisdn_sealed,
            c.text_sealed
        FROM locked l JOIN notifications n ON n.id = l.ids[1]
            JOIN contents c ON c.notification_id = n.id
        WHERE cardinality(l.ids) = 1 AND {PLAIN}),
    taken AS MATERIALIZED (
        SELECT * FROM plain WHERE (SELECT count(*) FROM plain) = (SELECT count(*) FROM locked)),
    gone AS (DELETE FROM queue q USING taken t WHERE q.id = t.block),
    journaled AS (
        INSERT INTO windows SELECT %(window)s, %(channel)s, %(bind)s, %(epoch)s, %(now)s,
            array_agg(id) FROM taken HAVING count(*) > 0)
    SELECT (SELECT count(*) FROM fence), (SELECT count(*) FROM locked), t.id, t.sender_id,
        t.expires_at, t.msisdn_sealed, t.text_sealed
    FROM (SELECT) AS once LEFT JOIN taken t ON true ORDER BY t.rank, t.turn, t.block
"""  # noqa: S608
# Planned once: planning it costs more than running it. Its tables may have been empty then.
_OPTIONS: Final = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"


class Unreadable(Exception):
    """Something that was taken cannot be opened."""


def express_database(url: str) -> Database:
    """The connection for these claims: a bulk's statements are never ahead of them."""
    return Database(url, most=2, options=_OPTIONS)


class ExpressClaims:
    """One process's claims of what is plain and express."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def claim(self, values: dict[str, Any], lane: Lane) -> list[Submission] | None:
        """As Claims.claim; None when the claim that weighs has to look. Raises Fenced,
        Unavailable, and Unreadable when the window has to be given back and weighed."""
        if lane is not Lane.EXPRESS:
            return None
        values = {**values, "blocks": values["most"]}
        found = self._database.run_once(lambda link: _claimed(link, values))
        fence, seen, first = found[0][:3]
        if not fence:
            raise Fenced
        if first is None:
            return None if seen else []
        msisdn_of, text_of = self._seal.opener(MSISDN), self._seal.opener(TEXT)
        rows: list[Submission] = []
        for number, sender_id, expires_at, msisdn, text in (row[2:] for row in found):
            try:
                to, words = Msisdn(msisdn_of(msisdn)), text_of(text)
            except ValueError as trouble:  # Unsealable and NotAnMsisdn among them
                raise Unreadable from trouble
            rows.append(
                Submission(number, 1, to, words, sender_id, values["window"], expires_at=expires_at)
            )
        return rows


def _claimed(connection: Connection, values: dict[str, Any]) -> list[Any]:
    """In no transaction but its own: that saves two of three round trips."""
    connection.autocommit = True
    try:
        return connection.cursor(binary=True).execute(_CLAIM, values, prepare=True).fetchall()
    finally:
        if not connection.closed:
            connection.autocommit = False
