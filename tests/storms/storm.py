"""Eight threads that answer callbacks in the order a storm lets them come."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ussdapp.core.session import Shown

THREADS = 8
LIVE = 200  # dialogues under way at once

Answer = Callable[[int, int], Shown]  # of a dialogue's step


@dataclass
class Storm:
    """Waves of steps by dialogue. What each step was answered is in `replies`."""

    waves: list[list[list[int]]]
    answer: Answer
    live: int = LIVE
    replies: dict[tuple[int, int], set[Shown]] = field(default_factory=lambda: defaultdict(set))
    answered: int = 0
    _ready: deque[tuple[int, int, int]] = field(default_factory=deque)
    _next: list[int] = field(default_factory=list)
    _begun: int = 0
    _left: int = 0
    _told: threading.Condition = field(default_factory=threading.Condition)

    def run(self) -> None:
        """Until all is answered; raises what an answer raised."""
        self._left = sum(len(wave) for waves in self.waves for wave in waves)
        self._next = [0] * len(self.waves)
        with self._told:
            for _ in range(min(self.live, len(self.waves))):
                self._begin()
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(self._work) for _ in range(THREADS)]:
                done.result()

    def _begin(self) -> None:
        if self._begun < len(self.waves):
            self._begun += 1
            self._release(self._begun - 1)

    def _release(self, dialogue: int) -> None:
        number = self._next[dialogue]
        self._next[dialogue] += 1
        if number < len(self.waves[dialogue]):
            self._ready.extend((dialogue, step, number) for step in self.waves[dialogue][number])
        else:
            self._begin()
        self._told.notify_all()

    def _taken(self) -> tuple[int, int, int] | None:
        with self._told:
            while not self._ready and self._left:
                self._told.wait(0.1)
            if not self._ready:
                return None
            self._left -= 1
            return self._ready.popleft()

    def _work(self) -> None:
        while (taken := self._taken()) is not None:
            dialogue, step, number = taken
            try:
                shown = self.answer(dialogue, step)
            except BaseException:
                with self._told:
                    self._left = 0
                    self._ready.clear()
                raise
            with self._told:
                self.replies[dialogue, step].add(shown)
                self.answered += 1
                if step == self.waves[dialogue][number][0] and self._next[dialogue] == number + 1:
                    self._release(dialogue)
