"""Knows which submits nobody waits for any longer: a late answer is still theirs."""

import threading
from collections.abc import Iterable
from typing import Final

_KEPT_S: Final = 600.0  # how long an answer may be late (faults.md row 36)


class Late:
    """Sequence numbers of one session with the tags of their submits, each for ten minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tags: dict[int, tuple[float, object]] = {}  # in the order of their end

    def expect(self, submits: Iterable[tuple[int, object]], now: float) -> None:
        """Remembers submits (sequence number, tag); `now` is in monotonic seconds."""
        with self._lock:
            self._forget(now)
            for sequence, tag in submits:
                self._tags[sequence] = (now + _KEPT_S, tag)

    def take(self, sequence: int, now: float) -> object | None:
        """The tag of a submit that is answered at last, once; None for one that is not known."""
        with self._lock:
            self._forget(now)
            return self._tags.pop(sequence, (0.0, None))[1]

    def _forget(self, now: float) -> None:
        while self._tags:
            sequence = next(iter(self._tags))
            if self._tags[sequence][0] > now:
                return
            del self._tags[sequence]
