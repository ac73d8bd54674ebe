"""Knows who wants no more texts: a register with its history."""

from datetime import datetime
from typing import Any, Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import Learnt
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.notifications import MSISDN
from ussdapp.stores.seal import Seal

_OUT: Final = """
    SELECT opt_out(%s, %s, (SELECT id FROM institutions WHERE short_name = %s), %s, %s, %s)
"""
# To come back to all is to come back to each.
_IN: Final = """
    UPDATE opt_outs SET until_at = %(at)s, ended = %(learnt)s, changed_at = %(at)s
    WHERE msisdn_index = %(index)s AND until_at IS NULL
    AND (%(institution)s::text IS NULL OR institution_id =
        (SELECT id FROM institutions WHERE short_name = %(institution)s))
    RETURNING id
"""
_WHOSE: Final = "SELECT short_name FROM institutions WHERE id = whose_sender_id(%s)"


class PgOptOuts:
    """Keeps ports.OptOuts."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def opt_out(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None:
        """From now on no transaction or bulk of that institution, or of any."""
        index, sealed = self._seal.index(msisdn), self._seal.close_text(msisdn.digits, MSISDN)
        values = (index, sealed, institution, learnt.value, at, at)
        self._database.run(lambda link: _noted(link, rows(link, _OUT, values), learnt, at))

    def opt_in(self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt) -> None:
        """Ends the opt-out from that institution, or every one."""
        values = {
            "index": self._seal.index(msisdn),
            "institution": institution,
            "at": at,
            "learnt": learnt.value,
        }
        self._database.run(lambda link: _noted(link, rows(link, _IN, values), learnt, at, "ended"))

    def whose(self, sender_id: str) -> str | None:
        """The institution that the sender ID is, None for ours."""
        row = self._database.run(lambda link: first(link, _WHOSE, (sender_id,)))
        return str(row[0]) if row else None


def _noted(
    connection: Connection, changed: list[Any], learnt: Learnt, at: datetime, what: str = "recorded"
) -> None:
    """What a person changes is audited: it may be a citizen's own word."""
    if learnt is Learnt.PERSON:
        for (number,) in changed:
            audit.note(connection, at, "command line", f"opt_out.{what}", f"opt-out {number}")
