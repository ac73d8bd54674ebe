"""Knows how much a channel is trusted with: less at once when it fares badly, more by and by."""

from dataclasses import dataclass
from typing import Final

_TROUBLED: Final = 0.2  # of a window's answers
_SLOW_S: Final = 10.0  # for a window's answers, and
_SLOW_EACH_S: Final = 2.0  # for each of them: a pace that is kept is no trouble
_LEAST: Final = 0.05  # by what is still submitted there it is seen to recover
_STEP: Final = 0.05
_ONCE_A: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Health:
    """`share` of a channel's traffic stays with it, the rest goes by its fallback. It is halved
    by trouble and drifts back, each at most once a second."""

    share: float = 1.0
    changed_at: float = 0.0

    def after(self, answered: int, troubled: int, seconds: float, now: float) -> "Health":
        """What a window of answers that took so many seconds makes of it; `now` in monotonic
        seconds."""
        if not answered or now - self.changed_at < _ONCE_A:
            return self
        slow = seconds > max(_SLOW_S, _SLOW_EACH_S * answered)
        if slow or troubled > _TROUBLED * answered:
            return Health(max(_LEAST, self.share / 2), now)
        return self if self.share >= 1.0 else Health(min(1.0, self.share + _STEP), now)
