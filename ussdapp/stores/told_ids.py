"""Knows the message ids this process was told of late, and whose they are. A cache: the submits
are the truth, and hold those of other processes as well."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ussdapp.core.inbound import Lease
from ussdapp.core.message_ids import Base, sought_in
from ussdapp.core.notification import Lane
from ussdapp.ports import Journal, Outcome, Submission, Submitted

_MOST: Final = 8_000  # of an account, and as many that came before: about 5 MB

Whose = tuple[int, str]  # a notification, and the digits of its MSISDN
_Answered = Sequence[tuple[Submission, Outcome]]


class ToldIds:
    """Those of first attempts of one part, which nothing but one receipt ends. Any thread may use
    it."""

    def __init__(self) -> None:
        self._ids: dict[str, tuple[dict[str, Whose], dict[str, Whose]]] = {}
        self._lock = threading.Lock()

    def learn(self, account: str, answered: _Answered) -> None:
        """What was answered, once it is recorded."""
        told = [
            (outcome.message_ids[0], (row.id, row.msisdn.digits))
            for row, outcome in answered
            if type(outcome) is Submitted and len(outcome.message_ids) == 1 and row.attempt == 1
        ]
        if not told:
            return
        ids, whose = zip(*told, strict=True)
        keys = sought_in(Base.SAME, ids)
        with self._lock:
            young, old = self._ids.get(account, ({}, {}))
            if len(young) >= _MOST:
                young, old = {}, young
            young.update(zip(keys, whose, strict=True))
            self._ids[account] = young, old

    def whose(self, account: str, ids: Sequence[str]) -> list[Whose | None]:
        """Whose each folded id is, where that is known here."""
        young, old = self._ids.get(account, ({}, {}))
        if not young:
            return [None] * len(ids)
        return [young.get(one) or old.get(one) for one in ids]


@dataclass(frozen=True, slots=True)
class TellingJournal:
    """Keeps ports.Journal by another that does, and tells of the answers it recorded."""

    journal: Journal
    tell: Callable[[str, _Answered], None]

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: _Answered = (),
    ) -> list[Submission]:
        """As the other's; then tells."""
        claimed = self.journal.claim(lease, most, now, lane, answered)
        self.tell(lease.channel, answered)
        return claimed

    def record(self, lease: Lease, window: _Answered, now: datetime) -> None:
        """As the other's; then tells."""
        self.journal.record(lease, window, now)
        self.tell(lease.channel, window)

    def settle(self, now: datetime) -> int:
        """As the other's."""
        return self.journal.settle(now)

    def due(self, now: datetime) -> list[str]:
        """As the other's."""
        return self.journal.due(now)
