"""Knows what became of each submit_sm of a window, and which sequence numbers wait."""

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ussdapp.wire.pdu import HEADER, LAST_SEQUENCE, SUBMIT_SM


@dataclass(frozen=True, slots=True)
class Answered:
    """A submit_sm_resp came; `message_id` is as the SMSC spelt it, "" when it gave none."""

    command_status: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Nacked:
    """The SMSC did not understand the PDU (generic_nack with its sequence number)."""

    command_status: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """It left, or may have left, and no answer came."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Certainly not one octet of it left."""


Answer = Answered | Nacked | Unanswered | Unwritten
_UNANSWERED: Final = Unanswered()
_UNWRITTEN: Final = Unwritten()


class Window:
    """Submits that left together. One thread answers, another waits for `done`."""

    def __init__(self, sequences: Sequence[int]) -> None:
        self.sequences = sequences
        self.answers: list[Answer | None] = [None] * len(sequences)
        self.left = len(sequences)
        self.done = threading.Event()

    def answer(self, place: int, answer: Answer) -> None:
        """Keeps the answer of the submit at that place; after the last one the window is done."""
        self.answers[place] = answer
        self.left -= 1
        if not self.left:
            self.done.set()

    def settled(self, first: int, touched: int, ends: Sequence[int]) -> list[Answer]:
        """The answers, in order, of the submits from `first` on that were written together and
        end at `ends`, when `touched` octets of them left or may have left."""
        starts = itertools.chain((0,), ends)
        return [
            answer or (_UNANSWERED if start < touched else _UNWRITTEN)
            for answer, start in zip(self.answers[first : first + len(ends)], starts, strict=False)
        ]


class Sequences:
    """Gives out sequence numbers, 1 to 0x7FFFFFFF and round again, and knows who waits on them."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[Window, int]] = {}

    def take(self, count: int) -> list[int]:
        """The next `count` numbers, in order."""
        with self._lock:
            first, self._next = self._next, (self._next + count - 1) % LAST_SEQUENCE + 1
        if first + count - 1 <= LAST_SEQUENCE:
            return list(range(first, first + count))
        return [(number - 1) % LAST_SEQUENCE + 1 for number in range(first, first + count)]

    def open(self, count: int) -> Window:
        """A window whose numbers wait from now on."""
        window = Window(self.take(count))
        places = zip(itertools.repeat(window), range(count), strict=False)
        self._waiting.update(zip(window.sequences, places, strict=True))
        return window

    def answer(self, sequence: int, answer: Answer) -> bool:
        """Gives the waiting submit its answer; False when nothing waits on that number."""
        found = self._waiting.pop(sequence, None)
        if found is None:
            return False
        window, place = found
        window.answer(place, answer)
        return True

    def close(self, window: Window) -> list[int]:
        """Nothing of the window waits any longer; returns the numbers of what did. Every other
        submit of it has its answer by then."""
        left = []
        for place, sequence in enumerate(window.sequences):
            if self._waiting.pop(sequence, None) is not None:
                left.append(sequence)
                continue
            while window.answers[place] is None:
                time.sleep(0)  # the reader holds it in its hand
        return left

    def abandon(self) -> None:
        """Ends every wait: no answer will come."""
        for window, _ in list(self._waiting.values()):
            window.done.set()

    def __len__(self) -> int:
        return len(self._waiting)


def submits(bodies: Sequence[bytes], sequences: Sequence[int]) -> tuple[bytes, list[int]]:
    """The octets of submit_sm PDUs, and the offset at which each ends."""
    pack = HEADER.pack
    pdus = [
        pack(16 + len(body), SUBMIT_SM, 0, sequence) + body
        for body, sequence in zip(bodies, sequences, strict=True)
    ]
    return b"".join(pdus), list(itertools.accumulate(map(len, pdus)))
