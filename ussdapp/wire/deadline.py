"""Knows how to end a wait on a connection whose other end has frozen: by cutting it."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

_EVERY_S: Final = 0.25


class Deadline:
    """Cuts connections that are used for longer than they may be. One thread watches all of a
    process; it begins with the first use, so that a fork before it does no harm."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._uses: dict[int, tuple[float, int]] = {}
        self._numbers = count()
        self._lock = threading.Lock()
        self._watching = False

    @contextmanager
    def over(self, descriptor: int) -> Iterator[None]:
        """While inside, the connection is cut once its time is over."""
        number = next(self._numbers)
        with self._lock:
            self._uses[number] = (time.monotonic() + self._seconds, descriptor)
            self._begin()
        try:
            yield
        finally:
            with self._lock:
                self._uses.pop(number, None)

    def _begin(self) -> None:
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_EVERY_S)
            now = time.monotonic()
            with self._lock:
                for number, (until, descriptor) in list(self._uses.items()):
                    if until < now:
                        del self._uses[number]
                        _cut(descriptor)


def _cut(descriptor: int) -> None:
    """Ends reading and writing; whoever waits is told that the connection is lost."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as end:
            end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it ended by itself
