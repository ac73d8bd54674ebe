"""Knows how cases are kept, with their events and what is told of them in one transaction."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import psycopg

from ussdapp.core.case import (
    CASE_MOVES,
    CaseStatus,
    CaseView,
    Kind,
    NewCase,
    Reply,
    Visibility,
)
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference
from ussdapp.ports import Addition, CaseClosed, NoSuchCase, ReferenceTaken
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.notifications import accept
from ussdapp.stores.seal import Seal

WORDS: Final = "cases.words"
MSISDN: Final = "cases.msisdn"
ANSWER: Final = "case_events.words"
_FILE: Final = """
    INSERT INTO cases (reference, institution_id, kind, visibility, status, medium, language,
        follow_index, msisdn_index, msisdn_sealed, words_sealed, effect, received_at)
    SELECT %(reference)s, id, %(kind)s, %(visibility)s, %(status)s, %(medium)s, %(language)s,
        %(follow)s, %(index)s, %(msisdn)s, %(words)s, %(effect)s, %(at)s
    FROM institutions WHERE short_name = %(institution)s
    ON CONFLICT (effect) DO NOTHING
    RETURNING id
"""
_EVENT: Final = """
    INSERT INTO case_events (case_id, at, what, status, words_sealed, effect)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_CASE: Final = """
    SELECT c.id, i.short_name, c.kind, c.status, c.received_at, c.follow_index, c.language,
        c.msisdn_sealed, (SELECT CASE WHEN e.what = 'replied' THEN e.words_sealed END
            FROM case_events e WHERE e.case_id = c.id AND e.what IN ('replied', 'transferred')
            ORDER BY e.id DESC LIMIT 1)
    FROM cases c JOIN institutions i ON i.id = c.institution_id
    WHERE c.reference = %s
"""
_LOCK: Final = """
    SELECT c.id FROM cases c JOIN institutions i ON i.id = c.institution_id
    WHERE c.reference = %s AND i.short_name = %s FOR UPDATE OF c
"""
_GIVEN_AWAY: Final = """
    SELECT count(*) FROM case_events e JOIN institutions i ON i.id = e.from_id
    WHERE e.case_id = %s AND i.short_name = %s
"""
_LOCK_OWN: Final = """
    SELECT id FROM cases WHERE reference = %s AND follow_index = %s FOR UPDATE
"""


class PgCases:
    """Keeps ports.Cases."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def file(self, case: NewCase, receipt: Notification | None) -> Reference:
        """Commits case, event and receipt notification together."""

        def work(connection: Connection) -> Reference:
            row = first(connection, _FILE, self._values(case))
            if row is None:
                return self._filed_before(connection, case.effect)
            status = CaseStatus.RECEIVED.value
            connection.execute(_EVENT, (row[0], case.received_at, "filed", status, None, None))
            if receipt:
                accept(connection, self._seal, receipt)
            return case.reference

        try:
            return self._database.run(work)
        except psycopg.errors.UniqueViolation:
            raise ReferenceTaken from None

    def _filed_before(self, connection: Connection, effect: str) -> Reference:
        known = "SELECT reference FROM cases WHERE effect = %s"
        row = first(connection, known, (self._seal.effect(effect),))
        if row is None:
            raise LookupError("no institution has that short name")
        return Reference(row[0])

    def _values(self, case: NewCase) -> dict[str, Any]:
        anonymous = case.visibility is Visibility.ANONYMOUS
        seal = self._seal
        return {
            "reference": case.reference.digits,
            "institution": case.institution,
            "kind": case.kind.value,
            "visibility": case.visibility.value,
            "status": CaseStatus.RECEIVED.value,
            "medium": case.medium,
            "language": case.language,
            "follow": seal.follow_index(case.msisdn, case.reference),
            "index": None if anonymous else seal.index(case.msisdn),
            "msisdn": None if anonymous else seal.close_text(case.msisdn.digits, MSISDN),
            "words": seal.close_text(case.words, WORDS),
            "effect": seal.effect(case.effect),
            "at": case.received_at,
        }

    def view(self, reference: Reference, msisdn: Msisdn) -> CaseView | None:
        """The case if this MSISDN opened it."""
        row = self._database.run(lambda connection: first(connection, _CASE, (reference.digits,)))
        if row is None or row[5] != self._seal.follow_index(msisdn, reference):
            return None
        return self._seen(reference, row)

    def _seen(self, reference: Reference, row: tuple[Any, ...]) -> CaseView:
        return CaseView(
            reference=reference,
            institution=row[1],
            kind=Kind(row[2]),
            status=CaseStatus(row[3]),
            answer=self._seal.open_text(row[8], ANSWER) if row[8] else "",
            received_at=row[4],
        )

    def reply(
        self, reply: Reply, notify: Callable[[Msisdn, str, CaseView], Notification]
    ) -> tuple[CaseView, str | None]:
        """Commits the reply, its event and its notification; returns the case as it now stands
        and the channel that has work, if the reply is new and somebody can be told."""

        def work(connection: Connection) -> tuple[CaseView, str | None]:
            row = self._held(connection, reply)
            case = self._seen(reply.reference, row)
            given = first(connection, _GIVEN_AWAY, (row[0], reply.institution))
            assert given
            new = reply.after(given[0])
            if self._is_known(connection, new.effect):
                return case, None
            if reply.status not in CASE_MOVES[case.status]:
                raise CaseClosed
            self._add(connection, row[0], new)
            case = replace(case, status=reply.status, answer=reply.words)
            if row[7] is None:
                return case, None
            msisdn = Msisdn(self._seal.open_text(row[7], MSISDN))
            notification = replace(notify(msisdn, row[6], case), effect=new.effect)
            accept(connection, self._seal, notification)
            return case, notification.channel

        return self._database.run(work)

    def add(self, addition: Addition) -> CaseView | None:
        """Commits the words as an event of the case, which stands as it stood."""
        reference = addition.reference
        follow = self._seal.follow_index(addition.msisdn, reference)

        def work(connection: Connection) -> CaseView | None:
            if first(connection, _LOCK_OWN, (reference.digits, follow)) is None:
                return None
            row = first(connection, _CASE, (reference.digits,))
            assert row
            case = self._seen(reference, row)
            if self._is_known(connection, addition.effect):
                return case
            if case.status is CaseStatus.CLOSED:
                raise CaseClosed
            words = self._seal.close_text(addition.words, ANSWER)
            effect = self._seal.effect(addition.effect)
            values = (row[0], addition.at, "added", case.status.value, words, effect)
            connection.execute(_EVENT, values)
            return case

        return self._database.run(work)

    def _held(self, connection: Connection, reply: Reply) -> tuple[Any, ...]:
        """The case, locked first and then read: what another held it for is in what is read."""
        values = (reply.reference.digits, reply.institution)
        if first(connection, _LOCK, values) is None:
            raise NoSuchCase
        row = first(connection, _CASE, values[:1])
        assert row
        return row

    def _is_known(self, connection: Connection, effect: str) -> bool:
        query = "SELECT 1 FROM case_events WHERE effect = %s"
        return first(connection, query, (self._seal.effect(effect),)) is not None

    def _add(self, connection: Connection, case_id: int, reply: Reply) -> None:
        words, status = self._seal.close_text(reply.words, ANSWER), reply.status.value
        effect = self._seal.effect(reply.effect)
        connection.execute(_EVENT, (case_id, reply.at, "replied", status, words, effect))
        connection.execute("UPDATE cases SET status = %s WHERE id = %s", (status, case_id))
        audit.note(connection, reply.at, reply.institution, "case.replied", reply.reference.digits)
