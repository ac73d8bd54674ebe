"""Knows PostgreSQL: a pool, transactions, and which troubles mean "not now"."""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, LiteralString, TypeVar

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from ussdapp.ports import Unavailable
from ussdapp.wire.deadline import Deadline

Connection = psycopg.Connection[TupleRow]
T = TypeVar("T")

_PATIENCE_S: Final = 1.0  # seconds in which a transaction that failed is tried again
_PASSING: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)


class Database:
    """Runs transactions; raises ports.Unavailable when PostgreSQL does not answer in time."""

    def __init__(
        self, url: str, most: int = 8, answers_within: float = 4.0, options: str = ""
    ) -> None:
        milliseconds = int(answers_within * 1000)
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=most,
            timeout=2.0,
            open=False,
            # a process that froze within a transaction keeps its locks no longer
            kwargs={
                "connect_timeout": 2,
                "options": f"-c statement_timeout={milliseconds}"
                f" -c idle_in_transaction_session_timeout={milliseconds} {options}",
            },
        )
        # a server that is frozen times nothing out
        self._deadline = Deadline(answers_within + 0.5)
        self._open = False

    def run(self, work: Callable[[Connection], T]) -> T:
        """One transaction, again after a broken connection, deadlock or serialization failure:
        so `work` must do no harm when it ran before and its commit was not heard of."""
        enough = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self.run_once(work)
            except Unavailable:
                if time.monotonic() > enough:
                    raise
                time.sleep(random.uniform(0.05, 0.2))  # noqa: S311 - jitter, no secret

    def run_once(self, work: Callable[[Connection], T]) -> T:
        """One transaction, once."""
        try:
            with self._connection() as connection, self._deadline.over(connection.fileno()):
                done = work(connection)
                connection.commit()  # within the deadline: a server may freeze over this as well
                return done
        except _PASSING as trouble:
            # the trouble's own words may quote a row
            raise Unavailable(f"PostgreSQL: {type(trouble).__name__}") from None

    def alone(self, work: Callable[[Connection], T]) -> T:
        """As `run`, for work of one statement: it is a transaction by itself, which takes a third
        of the round trips."""

        def by_itself(connection: Connection) -> T:
            connection.autocommit = True
            try:
                return work(connection)
            finally:
                if not connection.closed:
                    connection.autocommit = False

        return self.run(by_itself)

    def unlimited(self, work: Callable[[Connection], T]) -> T:
        """One transaction that may take its time, for a person's command."""

        def patiently(connection: Connection) -> T:
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            return work(connection)

        with self._connection() as connection:
            return patiently(connection)

    def _connection(self) -> Any:
        if not self._open:  # after the fork, not before
            self._pool.open()
            self._open = True
        return self._pool.connection()

    def close(self) -> None:
        """Gives all connections back to the server."""
        if self._open:
            self._pool.close()


def rows(connection: Connection, query: LiteralString, values: Any = ()) -> list[TupleRow]:
    """All rows of one query."""
    return connection.execute(query, values).fetchall()


def first(connection: Connection, query: LiteralString, values: Any = ()) -> TupleRow | None:
    """The first row of one query."""
    return connection.execute(query, values).fetchone()


def columns(table: Iterable[tuple[Any, ...]], width: int) -> tuple[list[Any], ...]:
    """Rows turned into `width` columns, for unnest()."""
    turned = tuple(list(column) for column in zip(*table, strict=True))
    return turned or tuple([] for _ in range(width))


def named(names: str, table: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """The same by name; the names have spaces between."""
    keys = names.split()
    return dict(zip(keys, columns(table, len(keys)), strict=True))


def as_array(ids: Iterable[int]) -> str:
    """Numbers as PostgreSQL reads an array: a fifth of the time that a list takes."""
    return "{" + ",".join(map(str, ids)) + "}"
