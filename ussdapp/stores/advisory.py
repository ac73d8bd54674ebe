"""Knows advisory locks that a process holds for as long as its session lives, and no longer."""

from enum import Enum
from typing import Any, Final, LiteralString

import psycopg

from ussdapp.ports import Unavailable
from ussdapp.wire.deadline import Deadline

_ANSWERS_WITHIN_S: Final = 4.5  # a server that is frozen times nothing out
_HELD: Final[LiteralString] = """
    locktype = 'advisory' AND granted AND objsubid = 2
    AND classid = %(class)s::bigint::oid AND objid = %(object)s::bigint::oid
"""
_TAKE: Final = (
    """
    SELECT held, CASE WHEN held THEN false
        ELSE pg_try_advisory_lock(%(class)s, %(object)s) END
    FROM (SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND"""  # noqa: S608
    + _HELD
    + ") AS held) h"
)
# whoever holds a lock asks for it again and again: one that says nothing is frozen
_END_SILENT: Final = (
    """
    SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE a.state_change < clock_timestamp() - %(silent)s * interval '1 second' AND"""  # noqa: S608
    + _HELD.replace("locktype", "l.locktype", 1)
)


class Lock(Enum):
    """A lock, as a session finds it: its own, free until now, another's."""

    HAD = "had"
    GOT = "got"
    ELSEWHERE = "elsewhere"


class Advisory:
    """The locks of one session, on a connection of its own. Raises Unavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: psycopg.Connection | None = None
        self._deadline = Deadline(_ANSWERS_WITHIN_S)

    def lock(self, klass: int, number: int) -> Lock:
        """Takes the lock where it is free; asked again it tells whether it is still held, for a
        session that was lost has lost it."""
        known = self._session is not None
        try:
            row = self._asked(_TAKE, {"class": klass, "object": number})
        except psycopg.OperationalError as trouble:
            self.release()
            if known:  # it may have died long ago, and PostgreSQL be well
                return self.lock(klass, number)
            raise Unavailable(f"PostgreSQL: {type(trouble).__name__}") from None
        had, got = row or (False, False)
        return Lock.HAD if had else Lock.GOT if got else Lock.ELSEWHERE

    def end_silent(self, klass: int, number: int, silent_s: float) -> None:
        """Ends the session of whoever holds that lock and asked nothing for so long."""
        try:
            self._asked(_END_SILENT, {"class": klass, "object": number, "silent": silent_s})
        except psycopg.OperationalError as trouble:
            self.release()
            raise Unavailable(f"PostgreSQL: {type(trouble).__name__}") from None

    def release(self) -> None:
        """Gives them all back."""
        if self._session:
            self._session.close()
            self._session = None

    def _asked(self, query: LiteralString, values: dict[str, Any]) -> Any:
        if self._session is None or self._session.closed:
            self._session = psycopg.connect(self._url, autocommit=True, connect_timeout=2)
        with self._deadline.over(self._session.fileno()):
            return self._session.execute(query, values).fetchone()
