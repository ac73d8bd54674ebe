"""Remembers in one process how recent dialogues began."""

from collections import OrderedDict
from typing import Final

from ussdapp.core.hints import beginning
from ussdapp.core.session import Record

MOST: Final = 10_000


class RecentHints:
    """Keeps ports.Hints for the `most` newest dialogues. Threads may share it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._starts: OrderedDict[str, Record] = OrderedDict()

    def get(self, key: str) -> Record | None:
        """How it began, None when that is not remembered."""
        return self._starts.get(key)

    def put(self, key: str, record: Record) -> None:
        """Remembers how it began, and forgets the oldest when there are too many."""
        start = beginning(record)
        if self._starts.get(key) != start:
            self._starts[key] = start
        if len(self._starts) > self._most:
            self._starts.popitem(last=False)
