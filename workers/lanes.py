"""The lanes of one bind: each delivers what is due of its classes, beside the others."""

import threading
from collections.abc import Callable
from typing import Final

from ussdapp.core.notification import Lane

_LOOK_S: Final = 1.0  # a doorbell may be lost, or answered by another worker of the channel
_EXPRESS_MOST: Final = 50  # of what is unanswered; small windows are soon over
_SPLIT: Final = 400  # two halves: one is recorded while the other is submitted

Share = tuple[Lane | None, int]


def shares(window: int) -> list[Share]:
    """How a bind's window is shared: the lanes, and how many each may leave unanswered. A window
    too small to be shared serves every lane in turn."""
    if window < 4:
        return [(None, window)]
    express = max(1, min(_EXPRESS_MOST, window // 10))
    bulk = window - express
    if bulk < _SPLIT:
        return [(Lane.EXPRESS, express), (Lane.BULK, bulk)]
    return [(Lane.EXPRESS, express), (Lane.BULK, bulk // 2), (Lane.BULK, bulk - bulk // 2)]


class Lanes:
    """A thread for each share; `deliver` delivers one window of it and tells how many it held."""

    def __init__(self, window: int, deliver: Callable[[Lane | None, int], int]) -> None:
        self._deliver = deliver
        self._stopping = threading.Event()
        self._lanes = [(share, threading.Event()) for share in shares(window)]

    def threads(self) -> list[Callable[[], None]]:
        """What is to be run, each in a thread of its own, until `stop`."""
        return [lambda lane=lane: self._serve(*lane) for lane in self._lanes]  # type: ignore[misc]

    def ring(self) -> None:
        """There may be work."""
        for _, rung in self._lanes:
            rung.set()

    def stop(self) -> None:
        """After the windows under way, nothing more."""
        self._stopping.set()
        self.ring()

    def _serve(self, share: Share, rung: threading.Event) -> None:
        while not self._stopping.is_set():
            rung.wait(_LOOK_S)
            rung.clear()
            while not self._stopping.is_set() and self._deliver(*share):
                pass
