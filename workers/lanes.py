"""The lanes of one bind: each delivers what is due of its classes, beside the others."""

import threading
import time
from collections.abc import Callable
from typing import Final

from ussdapp.core.notification import Lane

_LOOK_S: Final = 1.0  # a doorbell may be lost, or answered by another worker of the channel
_EXPRESS_MOST: Final = 50  # of what is unanswered; small windows are soon over
_EXPRESS_LANES: Final = 4  # one claims while the operator thinks about what the others submitted
_REST_S: Final = 70e-6  # a row: twice what it costs, so that a processor is often free
_SLOW_S: Final = 200e-6  # a row: where the SMSC or the pace takes as long, processors are free
_HURRY_S: Final = 10.0  # after something express, more of it is expected for so long
_SPLIT: Final = 400  # two halves: one is recorded while the other is submitted

Share = tuple[Lane | None, int]


def shares(window: int) -> list[Share]:
    """How a bind's window is shared: the lanes, and how many each may leave unanswered. A window
    too small to be shared serves every lane in turn."""
    if window < 4:
        return [(None, window)]
    express = max(1, min(_EXPRESS_MOST, window // 10))
    bulk = window - express
    hurried = _split(express, min(express, _EXPRESS_LANES))
    others = _split(bulk, 1 if bulk < _SPLIT else 2)
    return [*((Lane.EXPRESS, most) for most in hurried), *((Lane.BULK, most) for most in others)]


def _split(whole: int, among: int) -> list[int]:
    return [whole // among + (number < whole % among) for number in range(among)]


class _Turn:
    """Of the threads of one lane, one waits for the bell and claims; the others wait for it."""

    def __init__(self) -> None:
        self.rung = threading.Event()
        self.looking = threading.Lock()


class _Own(threading.local):
    """What a thread of a lane knows of itself: whose turn it has, how many it may claim, how many
    it claimed last, and when."""

    turn: _Turn | None = None
    most = 0
    rows = 0
    since = 0.0


class Lanes:
    """A thread for each share; `deliver` delivers one window of it and tells how many it held. It
    says `claimed` in between: then the lane's next thread may claim."""

    def __init__(
        self,
        window: int,
        deliver: Callable[[Lane | None, int], int],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deliver = deliver
        self._ticks = ticks
        self._hurried_at = -_HURRY_S
        self._stopping = threading.Event()
        self._express = _Turn()
        self._lanes = [
            (share, self._express if share[0] is Lane.EXPRESS else _Turn())
            for share in shares(window)
        ]
        self._own = _Own()

    def threads(self) -> list[Callable[[], None]]:
        """What is to be run, each in a thread of its own, until `stop`."""
        return [lambda lane=lane: self._serve(*lane) for lane in self._lanes]  # type: ignore[misc]

    def ring(self) -> None:
        """There may be work."""
        for _, turn in self._lanes:
            turn.rung.set()

    def ring_express(self) -> None:
        """There may be work that cannot wait; bulk is found by looking, or by another bell."""
        for share, turn in self._lanes:
            if share[0] is not Lane.BULK:
                turn.rung.set()

    def claimed(self, rows: int) -> None:
        """This thread's claim is over; where it found several, or as many as it may, there may be
        more. One alone rang for itself, and so will the next."""
        own = self._own
        turn, own.turn, own.rows, own.since = own.turn, None, rows, self._ticks()
        if turn is not None:
            if rows and turn is self._express:
                self._hurried_at = own.since
            if rows > 1 or rows == own.most:
                turn.rung.set()
            turn.looking.release()

    def make_way(self) -> None:
        """Has a bulk's thread rest before its next window while something express comes: with
        every processor busy, each step of what cannot wait would wait for one."""
        self._stopping.wait(self.rest_s())

    def rest_s(self) -> float:
        """How long that is: by what this thread claimed last, and how long ago."""
        now, rows = self._ticks(), self._own.rows
        if now - self._hurried_at >= _HURRY_S:
            return 0.0
        return max(0.0, min(rows * _REST_S, rows * _SLOW_S - (now - self._own.since)))

    def stop(self) -> None:
        """After the windows under way, nothing more."""
        self._stopping.set()
        self.ring()

    def _serve(self, share: Share, turn: _Turn) -> None:
        while not self._stopping.is_set():
            turn.looking.acquire()
            self._own.turn, self._own.most, self._own.rows = turn, share[1], 0
            found = 0
            try:
                if self._awaits(turn):
                    found = self._deliver(*share)
            finally:
                self.claimed(found)

    def _awaits(self, turn: _Turn) -> bool:
        if not self._stopping.is_set():
            turn.rung.wait(_LOOK_S)
            turn.rung.clear()
        return not self._stopping.is_set()
