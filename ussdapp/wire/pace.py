"""Knows how a bind keeps to the TPS an operator allows: evenly, never a second's worth at once."""

from collections.abc import Callable


class Pace:
    """At most `tps` parts a second (more than 0), in steps a fiftieth of a second apart or more.

    `clock` gives seconds of a monotonic clock. One thread submits on a bind, and uses its pace.
    """

    def __init__(self, tps: float, clock: Callable[[], float]) -> None:
        self._tps, self._clock = tps, clock
        self._free_at = clock()
        self.step = max(1, int(tps / 50))

    def wait(self, parts: int) -> float:
        """Seconds until that many parts may leave; they count as gone."""
        now = self._clock()
        start = max(now, self._free_at)
        self._free_at = start + parts / self._tps
        return start - now
