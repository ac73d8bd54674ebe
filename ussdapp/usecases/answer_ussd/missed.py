"""Knows what one process could not tell Redis, and how far it saw recent dialogues go."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.session import Record
from ussdapp.ports import After

LIVES: Final = timedelta(seconds=180)  # as long as Redis would keep a dialogue
MOST_MISSED: Final = 1_000
MOST_REACHED: Final = 10_000


@dataclass(frozen=True, slots=True, repr=False)
class Miss:
    """What Redis keeps of a dialogue as far as is known, and what it should keep."""

    key: str
    before: Record | None
    after: After
    at: datetime


class Missed:
    """Holds what was keyed while Redis was away, until it can be told; the oldest go first. Threads
    may share it: each act on the dict is one."""

    def __init__(self, most: int = MOST_MISSED) -> None:
        self._most = most
        self._misses: OrderedDict[str, Miss] = OrderedDict()

    def note(self, miss: Miss) -> None:
        """Notes a miss; what Redis was known to keep before an earlier one of it stands."""
        earlier = self._misses.pop(miss.key, None)
        if earlier is not None:
            miss = Miss(miss.key, earlier.before, miss.after, miss.at)
        self._misses[miss.key] = miss
        if len(self._misses) > self._most:
            self._oldest()

    def take(self, key: str, now: datetime) -> Miss | None:
        """The miss of that dialogue, which is held no longer."""
        miss = self._misses.pop(key, None)
        return miss if miss and now - miss.at < LIVES else None

    def some(self, most: int, now: datetime) -> Iterator[Miss]:
        """The oldest misses, held no longer once they are given."""
        for _ in range(min(most, len(self._misses))):
            miss = self._oldest()
            if miss and now - miss.at < LIVES:
                yield miss

    def _oldest(self) -> Miss | None:
        try:
            return self._misses.popitem(last=False)[1]
        except KeyError:
            return None  # another thread was quicker


class Reached:
    """Remembers how long a text each recent dialogue was answered for, and no text: where Redis
    has lost a dialogue, a shorter one is a late copy and leads nowhere."""

    def __init__(self, most: int = MOST_REACHED) -> None:
        self._most = most
        self._lengths: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def note(self, key: str, length: int, at: datetime) -> None:
        """A text of that length was answered."""
        known = self._lengths.get(key)
        if known is None or known[0] <= length or at - known[1] >= LIVES:
            self._lengths[key] = (length, at)
            if len(self._lengths) > self._most:
                self._lengths.popitem(last=False)

    def beyond(self, key: str, length: int, at: datetime) -> bool:
        """Whether a longer text of that dialogue was answered a while ago."""
        known = self._lengths.get(key)
        return known is not None and known[0] > length and at - known[1] < LIVES
