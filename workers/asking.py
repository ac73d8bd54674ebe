"""Asks institutions again what they did not answer in time: `python -m workers.asking`."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from ussdapp.bootstrap import open_gateway
from ussdapp.core.back_office import Claimed
from ussdapp.ports import Questions, Unavailable

_EVERY_S: Final = 0.5  # between looks when nothing was due
_DRAIN_S: Final = 5.0  # what a stop waits for calls under way; a claim left over lapses by itself
MOST: Final = 16  # questions under way in this process
MOST_OF_ONE: Final = 2  # of them to one office: what hangs takes no more than that

log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class Asking:
    """Claims what is due and asks each question in a thread of its own, few to one office."""

    def __init__(
        self,
        questions: Questions,
        ask: Callable[[Claimed, Callable[[], datetime]], None],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._questions = questions
        self._ask = ask
        self._clock = clock
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def serve(self, stopping: threading.Event) -> None:
        """Until told to stop, then as long as calls under way may take."""
        while not stopping.is_set():
            if not self.begin_one():
                stopping.wait(_EVERY_S)
        deadline = time.monotonic() + _DRAIN_S
        while self.under_way() and time.monotonic() < deadline:
            time.sleep(0.05)

    def begin_one(self) -> bool:
        """Begins to ask one due question, if there is one and room for it."""
        with self._lock:
            busy = [office for office, count in self._under_way.items() if count >= MOST_OF_ONE]
        if self.under_way() >= MOST:
            return False
        try:
            claimed = self._questions.claim(busy, self._clock())
        except Unavailable:
            log.warning("asking.postponed")
            return False
        if claimed is None:
            return False
        with self._lock:
            self._under_way[claimed.question.office] += 1
        # a daemon: a call that hangs does not keep the process
        threading.Thread(target=self._asked, args=(claimed,), daemon=True).start()
        return True

    def under_way(self) -> int:
        """How many questions are being asked."""
        with self._lock:
            return self._under_way.total()

    def _asked(self, claimed: Claimed) -> None:
        try:
            self._ask(claimed, self._clock)
        except Unavailable:
            log.warning("question.unended", office=claimed.question.office)
        finally:
            with self._lock:
                self._under_way[claimed.question.office] -= 1


def main() -> None:
    """Runs until SIGTERM. Several may run: each question is claimed by one."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    gateway = open_gateway()
    Asking(gateway.questions, gateway.ask_again()).serve(stopping)
    gateway.close()


if __name__ == "__main__":
    main()
