"""Knows how a case goes from one institution to another: in one transaction, with its history."""

from collections.abc import Callable
from typing import Any, Final

from ussdapp.core.case import CaseStatus, Transfer, Transferred
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.ports import CaseClosed, NoSuchCase, NoSuchInstitution, SameInstitution
from ussdapp.stores import audit
from ussdapp.stores.cases import ANSWER, MSISDN
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.notifications import accept
from ussdapp.stores.seal import Seal

# locked first and then read: what another held it for is in what is read
_LOCK: Final = "SELECT id FROM cases WHERE reference = %s FOR UPDATE"
_CASE: Final = """
    SELECT i.short_name, c.institution_id, c.status, c.language, c.msisdn_sealed
    FROM cases c JOIN institutions i ON i.id = c.institution_id WHERE c.id = %s
"""
_INSTITUTION: Final = "SELECT id FROM institutions WHERE short_name = %s"
_MOVE: Final = "UPDATE cases SET institution_id = %s, status = %s WHERE id = %s"
_EVENT: Final = """
    INSERT INTO case_events (case_id, at, what, status, words_sealed, from_id, to_id)
    VALUES (%s, %s, 'transferred', %s, %s, %s, %s)
"""
_LAST: Final = """
    SELECT f.short_name, t.short_name, e.words_sealed, e.at
    FROM case_events e JOIN institutions f ON f.id = e.from_id
        JOIN institutions t ON t.id = e.to_id
    WHERE e.case_id = %s AND e.what = 'transferred' ORDER BY e.id DESC LIMIT 1
"""


class PgTransfers:
    """Keeps ports.Transfers."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def transfer(
        self, transfer: Transfer, notify: Callable[[Msisdn, str], Notification]
    ) -> tuple[Transferred, str | None]:
        """Commits all of it; whoever gave the case away last may ask again."""

        def work(connection: Connection) -> tuple[Transferred, str | None]:
            locked = first(connection, _LOCK, (transfer.reference.digits,))
            if locked is None:
                raise NoSuchCase
            case = first(connection, _CASE, locked)
            assert case
            if case[0] != transfer.institution:
                return self._given_before(connection, locked[0], transfer), None
            self._move(connection, locked[0], transfer, case)
            done = Transferred(transfer.reference, transfer.to, transfer.at)
            if case[4] is None:
                return done, None
            told = notify(Msisdn(self._seal.open_text(case[4], MSISDN)), case[3])
            accept(connection, self._seal, told)
            return done, told.channel

        return self._database.run(work)

    def _move(
        self, connection: Connection, number: int, transfer: Transfer, case: tuple[Any, ...]
    ) -> None:
        found = first(connection, _INSTITUTION, (transfer.to,))
        if found is None:
            raise NoSuchInstitution
        if found[0] == case[1]:
            raise SameInstitution
        if CaseStatus(case[2]) is CaseStatus.CLOSED:
            raise CaseClosed
        words = self._seal.close_text(transfer.words, ANSWER)
        status = CaseStatus.RECEIVED.value
        connection.execute(_MOVE, (found[0], status, number))
        event = (number, transfer.at, status, words, case[1], found[0])
        connection.execute(_EVENT, event)
        subject = f"{transfer.reference.digits} to {transfer.to}"
        audit.note(connection, transfer.at, transfer.institution, "case.transferred", subject)

    def _given_before(self, connection: Connection, number: int, transfer: Transfer) -> Transferred:
        last = first(connection, _LAST, (number,))
        if last is None or last[:2] != (transfer.institution, transfer.to):
            raise NoSuchCase
        if self._seal.open_text(last[2], ANSWER) != transfer.words:
            raise NoSuchCase
        return Transferred(transfer.reference, transfer.to, last[3])
