"""Knows how a bind keeps to the TPS an operator allows: evenly, and slower where it is refused."""

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

import structlog

# `screen` is a reply within a dialogue: it waits for no pace
Haste = Literal["screen", "express", "bulk"]

_SECOND: Final = 1.0  # the bucket: in none of them more than the TPS
_STEPS: Final = 100  # a second, so that whoever goes next waits for a hundredth at most
_CATCH_UP_S: Final = 0.05  # what a bulk may make up for that came too late
_HALVED_S: Final = 0.5  # after the last refusal; an SMSC counts by the second
_RAISED_S: Final = 10.0
_RAISED_BY: Final = 1.1
_BELOW: Final = 0.97  # of what the SMSC took
_DEEPEST: Final = 8.0  # one refusal says little of what it takes when others use the account too
_FORGIVEN_S: Final = 600.0
_log = structlog.get_logger()


class Pace:
    """At most `tps` parts in any second, 0 for no limit. Any thread may use it.

    A bulk leaves in even steps; express takes the next step, or at once what is left of the
    second's. ESME_RTHROTTLED halves the pace until half a second after the last one; then it is a
    little under what the SMSC took in the second before, and a tenth more every ten seconds.
    `clock` gives seconds of a monotonic clock.
    """

    def __init__(self, tps: float, clock: Callable[[], float]) -> None:
        self._tps = tps or math.inf
        self._clock = clock
        self._lock = threading.Lock()
        self._most = self._rate = self._tps  # what this bind may have, and what it takes now
        self._free_at = self._halved_until = self._raised_at = self._refused_at = clock()
        self._held = math.inf  # what went well until it was raised
        self._left = Second()
        self._taken = Second()
        self._hurried = 0

    def share(self, binds: int) -> None:
        """This bind is one of so many that use the TPS together."""
        with self._lock:
            most = self._tps / max(1, binds)
            if self._rate >= self._most or self._rate > most:
                self._rate = most
            self._most = most

    @property
    def rate(self) -> float:
        """Parts a second, now; infinite where there is no limit."""
        with self._lock:
            return self._now_rate(self._clock())

    @property
    def step(self) -> int:
        """How many parts to ask for at once, at most."""
        rate = self.rate
        return 1 << 20 if rate == math.inf else max(1, int(rate / _STEPS))

    def turn(self, parts: int, haste: Haste, over: threading.Event) -> bool:
        """Waits until so many parts, at most a step, may leave; False when it is over before."""
        if haste == "screen":
            return True
        hurries = haste == "express"
        self._hurry(hurries)
        try:
            while wait := self.ask(parts, haste):
                if over.wait(wait):
                    return False
        finally:
            self._hurry(-hurries)
        return True

    def ask(self, parts: int, haste: Haste) -> float:
        """Seconds to wait before asking again; 0 when the parts may leave: they count as gone."""
        with self._lock:
            now = self._clock()
            rate = self._now_rate(now)
            if rate == math.inf:
                return 0.0
            bulk = haste == "bulk"
            # a hundredth of the second is left to express, or it would wait for one to pass
            most = rate - rate // _STEPS if bulk else rate
            wait = self._left.until_room(now, parts, max(most, parts))
            if bulk:
                wait = max(wait, self._free_at - now, 1 / rate if self._hurried else 0.0)
            if wait > 0:
                return wait
            # express as well: what a bulk has to make up for is not lost by one that overtakes it
            self._free_at = max(self._free_at, now - _CATCH_UP_S) + parts / rate
            self._left.add(now, parts)
            return 0.0

    def taken(self, parts: int) -> None:
        """The SMSC took so many."""
        with self._lock:
            self._taken.add(self._clock(), parts)

    def refused(self) -> None:
        """The SMSC answered ESME_RTHROTTLED."""
        with self._lock:
            now = self._clock()
            if now >= self._halved_until:
                self._lower(now)
            self._halved_until = now + _HALVED_S
            self._raised_at = self._halved_until + _RAISED_S
            self._refused_at = now

    # under the lock

    def _lower(self, now: float) -> None:
        rate = self._now_rate(now)
        took = float(self._taken.count(now))  # of two of the SMSC's seconds, so it may be more
        if rate != math.inf:
            took = min(rate, max(took, rate / _DEEPEST))
        self._rate = max(1.0, min(took * _BELOW, self._held))
        self._held = math.inf
        self._free_at = max(self._free_at, now + 1 / self._rate)
        _log.info("pace.lowered", parts_per_s=round(self._rate, 1))

    def _now_rate(self, now: float) -> float:
        if now < self._halved_until:
            return self._rate / 2
        while self._rate < self._most and now >= self._raised_at:
            self._held, self._rate = self._rate, min(self._most, self._rate * _RAISED_BY)
            self._raised_at += _RAISED_S
        if self._most == math.inf and now - self._refused_at > _FORGIVEN_S:
            self._rate = self._most
        return self._rate

    def _hurry(self, more: int) -> None:
        if more:
            with self._lock:
                self._hurried += more


class Second:
    """How many parts there were in the second that ends now."""

    def __init__(self) -> None:
        self._steps: deque[tuple[float, int]] = deque()
        self._count = 0

    def add(self, now: float, parts: int) -> None:
        self._forget(now)
        self._steps.append((now, parts))
        self._count += parts

    def count(self, now: float) -> int:
        self._forget(now)
        return self._count

    def until_room(self, now: float, parts: int, most: float) -> float:
        """Seconds until so many more fit among at most `most`; 0 when they do now."""
        self._forget(now)
        count, wait = self._count, 0.0
        for moment, gone in self._steps:
            if count + parts <= most:
                break
            count -= gone
            wait = moment + _SECOND - now
        return wait

    def _forget(self, now: float) -> None:
        while self._steps and now - self._steps[0][0] >= _SECOND:
            self._count -= self._steps.popleft()[1]
