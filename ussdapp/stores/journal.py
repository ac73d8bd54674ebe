"""Knows the journal of the sender: which windows are open, and how they close."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ussdapp.core.inbound import Lease
from ussdapp.core.notification import Lane
from ussdapp.ports import Answered, Submission
from ussdapp.stores.claims import Claims, Work, nothing
from ussdapp.stores.database import Connection, Database, as_array, rows
from ussdapp.stores.queue import due_channels
from ussdapp.stores.resending import resent
from ussdapp.stores.seal import Seal
from ussdapp.stores.submits import is_plain, take, took_all
from ussdapp.stores.verdicts import weigh, weigh_late

_OPEN: Final = """
    SELECT id, channel, bind, epoch, journaled_at, ids FROM windows WHERE id = ANY (%s)
    ORDER BY id FOR UPDATE
"""
_CLOSE: Final = "DELETE FROM windows WHERE id = %s"
_NARROW: Final = "UPDATE windows SET ids = %s::text::bigint[] WHERE id = %s"


class PgJournal:
    """Keeps ports.Journal; `tell` is told of an account's answers once they are recorded."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        fallbacks: Mapping[str, str] | None = None,
        express: Database | None = None,
        tell: Callable[[str, Sequence[Answered]], None] = lambda *_: None,
    ) -> None:
        self._database = database
        self._fallbacks = dict(fallbacks or {})
        self._claims = Claims(database, seal, express)
        self._tell = tell

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: Sequence[Answered] = (),
    ) -> list[Submission]:
        """Commits up to `most` due rows, of one lane or of the first that has any, and in the
        same transaction what was `answered`."""
        first = self._recording(lease, answered, now)
        claimed: list[Submission] = []
        for one in Lane if lane is None else (lane,):
            claimed = self._claims.claim(lease, most, now, one, first)
            if claimed:
                break
            first = nothing
        self._tell(lease.channel, answered)
        return claimed

    def record(self, lease: Lease, window: Sequence[Answered], now: datetime) -> None:
        """Commits every row's answer; again does no harm."""
        self._database.run(self._recording(lease, window, now))
        self._tell(lease.channel, window)

    def _recording(self, lease: Lease, window: Sequence[Answered], now: datetime) -> Work:
        if not window:
            return nothing
        account = lease.channel
        where = {"account": account, "fallback": self._fallbacks.get(account)}
        return lambda link: _record(link, where, window, now)

    def settle(self, now: datetime) -> int:
        """Returns to `queued` what is in doubt and due for its one further copy."""
        return self._database.run(lambda link: resent(link, self._fallbacks, now))

    def due(self, now: datetime) -> list[str]:
        """The channels that have rows due."""
        return self._database.run(lambda link: due_channels(link, now))


def _record(
    connection: Connection, where: dict[str, Any], window: Sequence[Answered], now: datetime
) -> None:
    if took_all(connection, where["account"], window, now):
        return
    numbers = sorted({row.window for row, _ in window})
    late = list(window)
    for opened in rows(connection, _OPEN, (numbers,)):
        number, ids = opened[0], opened[5]
        inside = set(ids)
        answers = [one for one in late if one[0].window == number and one[0].id in inside]
        late = [one for one in late if one[0].window != number or one[0].id not in inside]
        _close(connection, number, inside.difference(row.id for row, _ in answers))
        plain = [one for one in answers if is_plain(*one)]
        if plain:
            take(connection, where["account"], plain, now)
        if len(plain) < len(answers):
            names = ("channel", "bind", "epoch", "journaled_at")
            others = [one for one in answers if not is_plain(*one)]
            within = where | dict(zip(names, opened[1:], strict=False))
            weigh(connection, within, others, now)
    if late:
        weigh_late(connection, where, late, now)


def _close(connection: Connection, number: int, left: Iterable[int]) -> None:
    if left := list(left):
        connection.execute(_NARROW, (as_array(left), number))
    else:
        connection.execute(_CLOSE, (number,))
