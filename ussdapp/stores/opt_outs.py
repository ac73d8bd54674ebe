"""Knows who wants no more notices: a register with its history."""

from datetime import datetime
from typing import Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.database import Connection, Database
from ussdapp.stores.seal import Seal

_OUT: Final = """
    INSERT INTO opt_outs (msisdn_index, institution_id, from_at)
    SELECT %s, (SELECT id FROM institutions WHERE short_name = %s), %s
    ON CONFLICT DO NOTHING
"""
# To come back to all is to come back to each.
_IN: Final = """
    UPDATE opt_outs SET until_at = %(at)s WHERE msisdn_index = %(index)s AND until_at IS NULL
    AND (%(institution)s::text IS NULL OR institution_id =
        (SELECT id FROM institutions WHERE short_name = %(institution)s))
"""


class PgOptOuts:
    """Keeps ports.OptOuts."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def opt_out(self, msisdn: Msisdn, institution: str | None, at: datetime) -> None:
        """From now on no transaction or bulk of that institution, or of any."""
        values = (self._seal.index(msisdn), institution, at)

        def work(connection: Connection) -> None:
            connection.execute(_OUT, values)

        self._database.run(work)

    def opt_in(self, msisdn: Msisdn, institution: str | None, at: datetime) -> None:
        """Ends the opt-out from that institution, or every one."""
        values = {
            "index": self._seal.index(msisdn),
            "institution": institution,
            "at": at,
        }

        def work(connection: Connection) -> None:
            connection.execute(_IN, values)

        self._database.run(work)
