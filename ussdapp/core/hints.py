"""Knows how recent dialogues began."""

from collections import OrderedDict
from typing import Final

from ussdapp.core.session import Record

MOST: Final = 10_000


class Hints:
    """Remembers for one process; a forgotten hint costs a round trip, a wrong one is found out.
    It holds no key that a citizen typed. Threads may share it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._starts: OrderedDict[str, Record] = OrderedDict()

    def get(self, key: str) -> Record | None:
        """The record before its first key, None when it is not remembered; of a dialogue that
        goes on from another, whose first key is not its beginning, only the language."""
        return self._starts.get(key)

    def put(self, key: str, record: Record) -> None:
        """Remembers how it began, and forgets the oldest when there are too many."""
        start = Record("", record.language) if record.past else record.start
        if self._starts.get(key) != start:
            self._starts[key] = start
        if len(self._starts) > self._most:
            self._starts.popitem(last=False)
