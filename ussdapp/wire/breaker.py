"""Knows when a slow or broken peer is left alone, so that it costs nobody but itself."""

import threading
from dataclasses import dataclass


class Shut(Exception):
    """The call is not made now: as many as allowed are under way, or the peer keeps failing."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The right to make one call; whoever got it tells how the call ended."""

    probe: bool = False


class Bulkhead:
    """At most `most` calls under way at once. One more waits `patience` seconds for a place, with
    at most as many others; beyond that it is refused at once, so that a peer that hangs holds
    few threads and none for long."""

    def __init__(self, most: int, patience: float = 0.0) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._waiting = threading.BoundedSemaphore(most if patience > 0 else 0)
        self._patience = patience

    def enter(self) -> None:
        """Takes a place; raises Shut."""
        if not (self._free.acquire(blocking=False) or self._waited()):
            raise Shut("as many calls as allowed are under way")

    def _waited(self) -> bool:
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=self._patience)
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Gives the place back."""
        self._free.release()


class Breaker:
    """Opens for `pause` seconds after `most_failures` in a row, then lets one call probe.

    Every `now` is in seconds of one monotonic clock. A call that began before it opened and ends
    while it is open changes nothing.
    """

    def __init__(self, most_failures: int = 5, pause: float = 10.0) -> None:
        self._most_failures = most_failures
        self._pause = pause
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False
        self._lock = threading.Lock()

    def enter(self, now: float) -> Pass:
        """The right to call; raises Shut while it is open."""
        with self._lock:
            if self._open_until is None:
                return Pass()
            if now < self._open_until or self._probing:
                raise Shut("it keeps failing and is left alone")
            self._probing = True
            return Pass(probe=True)

    def succeeded(self, given: Pass) -> None:
        """The call was answered in time."""
        with self._lock:
            if given.probe:
                self._probing = False
                self._open_until = None
            self._failures = 0

    def failed(self, given: Pass, now: float) -> None:
        """The call was late, or came to nothing."""
        with self._lock:
            self._failures += 1
            if given.probe:
                self._probing = False
                self._open_until = now + self._pause
            elif self._open_until is None and self._failures >= self._most_failures:
                self._open_until = now + self._pause
