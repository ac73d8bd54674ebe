"""Tells institutions' webhooks what happened: `python -m workers.telling`."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

import structlog

from ussdapp.bootstrap import open_gateway
from ussdapp.core.webhook import Answered, Endpoint, Event
from ussdapp.ports import Unavailable
from ussdapp.stores.tellings import PgTellings
from ussdapp.usecases.tell_webhook import Together

_EVERY_S: Final = 0.25  # between looks for what is due, unless a window has just ended
_LOOK_S: Final = 1.0  # between looks for what became final
_SWEEP_S: Final = 600.0
_DRAIN_S: Final = 6.0  # what a stop waits for posts under way; the others are made by the next one
MOST: Final = 32  # webhooks under way in this process
PLACES: Final = 8  # posts to one of them at once

log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


def together(stopping: threading.Event) -> Together:
    """Several posts at once, in threads of one webhook's own, so that no other waits for them;
    none is begun once the process is told to stop."""

    def posts(
        post: Callable[[Event], Answered | None], events: Sequence[Event]
    ) -> Iterator[Answered | None]:
        with ThreadPoolExecutor(max(1, min(PLACES, len(events)))) as places:
            yield from places.map(lambda one: None if stopping.is_set() else post(one), events)

    return posts


class Telling:
    """Gives each webhook with due events a thread for a window. Whoever waited longest goes
    first, so that with more than MOST of them none is left out."""

    def __init__(
        self,
        tellings: PgTellings,
        tell: Callable[[Endpoint], int],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._tellings = tellings
        self._tell = tell
        self._clock = clock
        self._room = threading.BoundedSemaphore(MOST)
        self._wake = threading.Event()
        self._look_at = self._sweep_at = 0.0

    def serve(self, stopping: threading.Event) -> None:
        """Until told to stop, then as long as posts under way may take."""
        while not stopping.is_set():
            self._wake.clear()
            try:
                self._now_and_then()
                self.begin()
            except Unavailable:
                log.warning("telling.postponed")
                stopping.wait(_EVERY_S)
            self._wake.wait(_EVERY_S)
        deadline = time.monotonic() + _DRAIN_S
        for _ in range(MOST):  # a place is free again when its window has ended
            self._room.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def begin(self) -> int:
        """Begins a window of each webhook with due events, as far as there is room; returns how
        many."""
        room = sum(self._room.acquire(blocking=False) for _ in range(MOST))
        taken: list[Endpoint] = []
        try:
            if room:
                taken = self._tellings.take(self._clock(), room)
        finally:
            for _ in range(room - len(taken)):
                self._room.release()
        for endpoint in taken:
            # a daemon: a window that hangs does not keep the process
            threading.Thread(target=self._told, args=(endpoint,), daemon=True).start()
        return len(taken)

    def _told(self, endpoint: Endpoint) -> None:
        try:
            self._tell(endpoint)
        except Unavailable:
            log.warning("webhook.unrecorded", institution=endpoint.institution)
        finally:
            self._room.release()
            self._wake.set()

    def _now_and_then(self) -> None:
        ticks = time.monotonic()
        if ticks >= self._look_at:
            again = self._tellings.look(self._clock())
            self._look_at = 0.0 if again else time.monotonic() + _LOOK_S
            if again:
                self._wake.set()
        if ticks >= self._sweep_at:
            self._tellings.sweep(self._clock())
            self._sweep_at = ticks + _SWEEP_S


def main() -> None:
    """Runs until SIGTERM. Several may run: each webhook is one's at a time."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    gateway = open_gateway()
    tellings, tell = gateway.telling(together(stopping))
    Telling(tellings, tell).serve(stopping)
    gateway.close()


if __name__ == "__main__":
    main()
