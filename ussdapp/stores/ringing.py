"""Knows how a doorbell is rung without waiting for it."""

import os
import threading
import time
from typing import Final

from ussdapp.ports import Doorbells

# An RQ job costs as much as what it rings for: of a stream only so many are made.
_GAP_S: Final = 0.01


class Ringing:
    """Keeps ports.Doorbells: a thread rings, once for all who asked while it was ringing. What a
    process that dies has not rung, the reconciler rings."""

    def __init__(self, doorbells: Doorbells) -> None:
        self._doorbells = doorbells
        self._asked: set[str] = set()
        self._some = threading.Event()
        self._lock = threading.Lock()
        self._pid = 0

    def ring(self, channel: str) -> None:
        """Has it rung soon."""
        with self._lock:
            self._asked.add(channel)
        self._some.set()
        if self._pid != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():  # a forked process has none of its parent's threads
                self._pid = os.getpid()
                threading.Thread(target=self._serve, daemon=True, name="ringing").start()

    def _serve(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            with self._lock:
                asked, self._asked = self._asked, set()
            for channel in asked:
                self._doorbells.ring(channel)
            time.sleep(_GAP_S)
