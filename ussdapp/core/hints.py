"""Knows in which language recent dialogues began."""

from collections import OrderedDict
from typing import Final

MOST: Final = 10_000


class Hints:
    """Remembers for one process; a forgotten hint costs a round trip, a wrong one is found out.
    Threads may share it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._languages: OrderedDict[str, str] = OrderedDict()

    def get(self, key: str) -> str | None:
        """The language, None when it is not remembered."""
        return self._languages.get(key)

    def put(self, key: str, language: str) -> None:
        """Remembers it, and forgets the oldest when there are too many."""
        self._languages[key] = language
        if len(self._languages) > self._most:
            self._languages.popitem(last=False)
