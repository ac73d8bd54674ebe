"""Tells institutions' webhooks what happened: `python -m workers.telling`."""

import signal
import threading
import time
from collections import Counter
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
_DRAIN_S: Final = 3.5  # what a stop waits for posts under way; what is later is posted again
MOST: Final = 32  # webhooks under way in this process
MOST_OF_ONE: Final = 4  # of them of one institution: what hangs takes no more than that
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
        self._under_way: Counter[str] = Counter()  # windows, by institution
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._look_at = self._sweep_at = 0.0

    def serve(self, stopping: threading.Event) -> None:
        """Until told to stop, then as long as posts under way may take."""
        while not stopping.is_set():
            self._wake.clear()
            for step in (self._look, self.begin, self._sweep):
                try:
                    step()
                except Unavailable:
                    log.warning("telling.postponed", step=step.__name__.strip("_"))
            self._wake.wait(_EVERY_S)
        deadline = time.monotonic() + _DRAIN_S
        while self.under_way() and time.monotonic() < deadline:
            time.sleep(0.05)

    def begin(self) -> int:
        """Begins a window of each webhook with due events, as far as there is room; returns how
        many."""
        begun = 0
        while begun < MOST and (room := MOST - self.under_way()):
            with self._lock:
                busy = [one for one, count in self._under_way.items() if count >= MOST_OF_ONE]
            taken = self._tellings.take(self._clock(), room, busy)
            if not taken:
                break
            begun += len(taken)
            for endpoint in taken:
                self._begin(endpoint)
        return begun

    def under_way(self) -> int:
        """How many windows are being posted."""
        with self._lock:
            return self._under_way.total()

    def _begin(self, endpoint: Endpoint) -> None:
        with self._lock:
            self._under_way[endpoint.institution] += 1
        # a daemon: a window that hangs does not keep the process
        threading.Thread(target=self._told, args=(endpoint,), daemon=True).start()

    def _told(self, endpoint: Endpoint) -> None:
        try:
            self._tell(endpoint)
        except Unavailable:
            log.warning("webhook.unrecorded", institution=endpoint.institution)
        finally:
            with self._lock:
                self._under_way[endpoint.institution] -= 1
            self._wake.set()

    def _look(self) -> None:
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_S
        if self._tellings.look(self._clock()):
            self._look_at = 0.0
            self._wake.set()

    def _sweep(self) -> None:
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + _SWEEP_S
            self._tellings.sweep(self._clock())


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
