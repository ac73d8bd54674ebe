"""Knows how often a key may be used: so many times a second in each process, a second's worth at
once (generic cell rate algorithm, ITU-T I.371)."""

import threading
import time
from collections.abc import Callable
from typing import Final

_BURST_S: Final = 1.0


class Limits:
    """Counts in this process alone: a round trip to Redis would cost as much as what it guards.
    `ticks` are monotonic seconds."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._due: dict[int, float] = {}
        self._lock = threading.Lock()

    def pause(self, key_id: int, per_second: int) -> float:
        """Counts one use; or the seconds after which the next one may be, 0 when it may be now."""
        with self._lock:
            now = self._ticks()
            due = max(now, self._due.get(key_id, now)) + 1.0 / per_second
            if due - now > _BURST_S:
                return due - now - _BURST_S
            self._due[key_id] = due
            return 0.0
