"""Checks what was accepted as bulks and queues it: `python -m workers.importing`."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog

from ussdapp.bootstrap import Gateway, open_gateway
from ussdapp.ports import Unavailable
from ussdapp.stores.bulk_blocks import forget_lost
from ussdapp.stores.bulk_counts import BulkCounts
from ussdapp.usecases.import_bulk import ImportBulk

_EVERY_S: Final = 0.2  # between looks when there was nothing to do
_COUNT_S: Final = 1.0
_FORGET_S: Final = 600.0
_SWITCH_S: Final = 0.0005  # the thread that writes waits so long for Python's lock, not 5 ms

log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class Importing:
    """Does what there is to do, a step at a time."""

    def __init__(
        self,
        import_bulk: ImportBulk,
        counts: BulkCounts,
        forget_lost: Callable[[datetime], None],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._import = import_bulk
        self._counts = counts
        self._forget_lost = forget_lost
        self._clock = clock
        self._count_at = self._forget_at = 0.0

    def serve(self, stopping: threading.Event) -> None:
        """Until told to stop; a step under way is ended."""
        while not stopping.is_set():
            if not self.step():
                stopping.wait(_EVERY_S)
        self._import.give_back()

    def step(self) -> bool:
        """One step; False when there was nothing to do, or the database was away."""
        try:
            self._now_and_then()
            return self._import(self._clock())
        except Unavailable:
            log.warning("import.postponed")
            return False

    def _now_and_then(self) -> None:
        ticks = time.monotonic()
        if ticks >= self._count_at:
            self._counts.refresh(self._clock())
            self._count_at = time.monotonic() + _COUNT_S
        if ticks >= self._forget_at:
            self._forget_lost(self._clock())
            self._forget_at = ticks + _FORGET_S


def serve(gateway: Gateway) -> None:
    """Runs until SIGTERM. Several may run: each bulk is checked by one."""
    sys.setswitchinterval(_SWITCH_S)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    rows, import_bulk = gateway.importing()
    counts = BulkCounts(gateway.database, time.monotonic)
    forget = partial(forget_lost, gateway.database)
    Importing(import_bulk, counts, forget).serve(stopping)
    rows.close()
    gateway.close()


def main() -> None:
    """Serves the gateway of this process's environment."""
    serve(open_gateway())


if __name__ == "__main__":
    main()
