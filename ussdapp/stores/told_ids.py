"""Knows the message ids this process was told of late, and whose they are. A cache: the submits
are the truth, and hold those of other processes as well."""

import threading
from collections.abc import Sequence
from typing import Final

from ussdapp.core.message_ids import Base, sought_in
from ussdapp.ports import Answered, Submitted

_MOST: Final = 8_000  # of an account, and as many that came before: about 5 MB

Whose = tuple[int, str]  # a notification, and the digits of its MSISDN


class ToldIds:
    """Those of first attempts of one part, which nothing but one receipt ends. Any thread may use
    it."""

    def __init__(self) -> None:
        self._ids: dict[str, tuple[dict[str, Whose], dict[str, Whose]]] = {}
        self._lock = threading.Lock()

    def learn(self, account: str, answered: Sequence[Answered]) -> None:
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
