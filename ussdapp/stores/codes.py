"""Knows the codes that institutions ask for: what was asked, what is met of it, what is allotted.

Requests are taken one after the other (an advisory lock), for whether one reads like another is no
question of an index; what reads alike letter by letter is unique in `code_forms` all the same.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final, LiteralString

from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.code_values import Held
from ussdapp.core.codes import (
    CONDITIONS,
    MOST_OPEN,
    MOVES,
    WORKING_DAYS,
    Code,
    CodeKind,
    CodeRefused,
    CodeStatus,
    Condition,
    NewCode,
    NoSuchCode,
    NotNow,
)
from ussdapp.core.look_alikes import forms
from ussdapp.core.working_days import due_after
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.holidays import known
from ussdapp.stores.seal import Seal

_URL: Final = "codes.url"
_SIGNS: Final = "codes.secret"
_LOCK: Final = "SELECT pg_advisory_xact_lock(1668244595)"  # of requests: one after the other
_BEFORE: Final = "SELECT id, body_index FROM codes WHERE effect = %s"
_OPEN: Final = """
    SELECT count(*) FROM codes c JOIN institutions i ON i.id = c.institution_id
    WHERE i.short_name = %s AND c.live = %s AND c.status IN ('requested', 'conditions_met')
"""
# what a test key asked for stands in nobody's way but its own institution's test keys'
_HELD: Final = """
    SELECT c.kind, c.value, i.short_name FROM codes c JOIN institutions i ON i.id = c.institution_id
    WHERE c.status NOT IN ('refused', 'revoked')
        AND (c.live OR (NOT %(live)s AND i.short_name = %(institution)s))
"""
_KEEP: Final = """
    INSERT INTO codes (institution_id, effect, body_index, live, kind, value, purpose, url_sealed,
        secret_sealed, status, requested_at)
    SELECT id, %(effect)s, %(body_index)s, %(live)s, %(kind)s, %(value)s, %(purpose)s, %(url)s,
        %(secret)s, 'requested', %(at)s
    FROM institutions WHERE short_name = %(institution)s RETURNING id
"""
_FORM: Final = "INSERT INTO code_forms (kind, form, code_id) SELECT %s, unnest(%s::text[]), %s"
_FORGET: Final = "DELETE FROM code_forms WHERE code_id = %s"
_CODES: Final[LiteralString] = """
    SELECT c.id, i.short_name, c.live, c.kind, c.value, c.purpose, c.status, c.requested_at,
        c.conditions_met_at, c.escalated_at, c.decided_at, c.reason, c.url_sealed, c.secret_sealed,
        ARRAY(SELECT jsonb_build_array(k.name, k.met_at, k.document) FROM code_conditions k
            WHERE k.code_id = c.id ORDER BY k.met_at, k.name)
    FROM codes c JOIN institutions i ON i.id = c.institution_id
"""
_OF: Final[LiteralString] = (
    _CODES
    + """WHERE (i.short_name = %(institution)s OR %(institution)s::text IS NULL)
        AND (c.live = %(live)s OR %(live)s::boolean IS NULL)
        AND (c.id = %(number)s OR %(number)s::bigint IS NULL) ORDER BY c.id DESC LIMIT %(most)s"""
)
_RUNNING: Final[LiteralString] = (
    _CODES + "WHERE c.status = 'conditions_met' AND c.escalated_at IS NULL ORDER BY c.id"
)
_ONE: Final[LiteralString] = _CODES + "WHERE c.id = %s FOR NO KEY UPDATE OF c"
_MEET: Final = """
    INSERT INTO code_conditions (code_id, name, document, met_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (code_id, name) DO NOTHING RETURNING name
"""
_MET: Final = """
    UPDATE codes SET status = 'conditions_met', conditions_met_at = %s WHERE id = %s
"""
_DECIDE: Final = "UPDATE codes SET status = %s, decided_at = %s, reason = %s WHERE id = %s"
_ESCALATE: Final = """
    UPDATE codes SET escalated_at = %s
    WHERE id = %s AND escalated_at IS NULL AND status = 'conditions_met' RETURNING id
"""
_HANDED: Final = """
    SELECT i.short_name, c.url_sealed, c.secret_sealed
    FROM codes c JOIN institutions i ON i.id = c.institution_id
    WHERE c.kind = 'keyword' AND c.value = %s AND c.status = 'allotted'
"""
_GONE: Final = (CodeStatus.REFUSED, CodeStatus.REVOKED)


class PgCodes:
    """All raise Unavailable."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def request(self, new: NewCode, check: Callable[[Sequence[Held]], None], at: datetime) -> Code:
        """Commits it, once `check` let it pass beside what is held; the same effect and body again
        is the same request. Raises what `check` raises, CodeRefused, AnotherBody, LookupError
        (institution)."""
        body = bytes.fromhex(self._seal.effect(f"body:{new.body}"))

        def work(connection: Connection) -> Code:
            connection.execute(_LOCK)
            before = first(connection, _BEFORE, (self._seal.effect(new.effect),))
            if before is None:
                return self._one(connection, self._kept(connection, new, body, check, at))
            if bytes(before[1]) != body:
                raise AnotherBody
            return self._one(connection, before[0])

        return self._database.run(work)

    def of(
        self,
        institution: str | None = None,
        *,
        live: bool | None = None,
        number: int | None = None,
        most: int = 1000,
    ) -> list[Code]:
        """Those of an institution, or all, the newest first."""
        values = {"institution": institution, "live": live, "number": number, "most": most}
        return self._database.run(lambda link: self._codes(link, _OF, values))

    def meet(self, number: int, condition: str, document: str, by: str, at: datetime) -> Code:
        """Notes that a condition is met; the last of them starts the clock. Again changes nothing.
        Raises NoSuchCode, NotNow, and ValueError for a condition it has not."""

        def work(connection: Connection) -> Code:
            code = self._locked(connection, number)
            if condition not in CONDITIONS[code.kind]:
                raise ValueError(f"its conditions are {', '.join(CONDITIONS[code.kind])}")
            if code.status is not CodeStatus.REQUESTED:
                raise NotNow(code.status)
            if first(connection, _MEET, (number, condition, document, at)):
                _audit(connection, at, by, f"code.condition.{condition}", number)
                if code.missing == (condition,):
                    connection.execute(_MET, (at, number))
            return self._one(connection, number)

        return self._database.run_once(work)

    def decide(self, number: int, to: CodeStatus, reason: str, by: str, at: datetime) -> Code:
        """Allots, refuses or revokes it; what is over is free for others again. Raises NoSuchCode,
        NotNow."""

        def work(connection: Connection) -> Code:
            code = self._locked(connection, number)
            if to not in MOVES[code.status]:
                raise NotNow(code.status)
            connection.execute(_DECIDE, (to.value, at, reason, number))
            if to in _GONE:
                connection.execute(_FORGET, (number,))
            _audit(connection, at, by, f"code.{to.value}", number)
            return self._one(connection, number)

        return self._database.run_once(work)

    def escalate(self, at: datetime) -> list[Code]:
        """Marks those whose time is over and that nobody has decided, once each."""

        def work(connection: Connection) -> list[Code]:
            running = self._codes(connection, _RUNNING)
            late = [one for one in running if one.due_at and one.due_at <= at]
            marked = [one for one in late if first(connection, _ESCALATE, (at, one.id))]
            for one in marked:
                _audit(connection, at, "reconciler", "code.late", one.id)
            return marked

        return self._database.run(work)

    def handed(self, keyword: str) -> tuple[str, str, str] | None:
        """Whose an allotted keyword is, and the address and secret its texts are handed to."""
        row = self._database.run(lambda link: first(link, _HANDED, (keyword,)))
        if row is None:
            return None
        return row[0], self._seal.open_text(row[1], _URL), self._seal.open_text(row[2], _SIGNS)

    def _kept(
        self,
        connection: Connection,
        new: NewCode,
        body: bytes,
        check: Callable[[Sequence[Held]], None],
        at: datetime,
    ) -> int:
        holder = {"institution": new.institution, "live": new.live}
        row = first(connection, _OPEN, (new.institution, new.live))
        if row and row[0] >= MOST_OPEN:
            told = f"{MOST_OPEN} requests wait for a decision: ask again after one."
            raise CodeRefused("value", "too_many", told)
        check([Held(CodeKind(kind), *rest) for kind, *rest in rows(connection, _HELD, holder)])
        values = {
            **holder,
            "effect": self._seal.effect(new.effect),
            "body_index": body,
            "kind": new.kind.value,
            "value": new.value,
            "purpose": new.purpose,
            "url": self._seal.close_text(new.url, _URL) if new.url else None,
            "secret": self._seal.close_text(new.secret, _SIGNS) if new.secret else None,
            "at": at,
        }
        kept = first(connection, _KEEP, values)
        if kept is None:
            raise LookupError(f"no institution has the short name {new.institution!r}")
        if new.live:
            read = {new.value} if new.kind is CodeKind.SERVICE_CODE else forms(new.value)
            connection.execute(_FORM, (new.kind.value, sorted(read), kept[0]))
            _audit(connection, at, new.by, "code.requested", kept[0])
        return int(kept[0])

    def _locked(self, connection: Connection, number: int) -> Code:
        code = next(iter(self._codes(connection, _ONE, (number,))), None)
        if code is None or not code.live:
            raise NoSuchCode(f"no institution's request has the number {number}")
        return code

    def _one(self, connection: Connection, number: int) -> Code:
        return self._codes(connection, _ONE, (number,))[0]

    def _codes(
        self, connection: Connection, query: LiteralString, values: Any = None
    ) -> list[Code]:
        found = rows(connection, query, values)
        running = any(row[8] for row in found)
        days = frozenset(one.day for one in known(connection)) if running else frozenset()
        return [self._code(row, days) for row in found]

    def _code(self, row: tuple[Any, ...], holidays: frozenset[date]) -> Code:
        number, institution, live, kind, value, purpose, status, requested_at = row[:8]
        met_at, escalated_at, decided_at, reason, url, secret, conditions = row[8:]
        return Code(
            id=number,
            institution=institution,
            live=live,
            kind=CodeKind(kind),
            value=value,
            purpose=purpose,
            status=CodeStatus(status),
            requested_at=requested_at,
            conditions=tuple(
                Condition(name, datetime.fromisoformat(at), document)
                for name, at, document in conditions
            ),
            due_at=due_after(met_at, WORKING_DAYS, holidays) if met_at else None,
            late=escalated_at is not None,
            decided_at=decided_at,
            reason=reason,
            url=self._seal.open_text(url, _URL) if url else "",
            secret=self._seal.open_text(secret, _SIGNS) if secret else "",
        )


def _audit(connection: Connection, at: datetime, by: str, action: str, number: int) -> None:
    audit.note(connection, at, by, action, f"code {number}")
