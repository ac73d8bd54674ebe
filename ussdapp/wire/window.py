"""Knows what became of each submit_sm under way, and which sequence numbers wait."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Final, NamedTuple

from ussdapp.wire.late import Late
from ussdapp.wire.link import Frame
from ussdapp.wire.pace import Haste
from ussdapp.wire.pdu import LAST_SEQUENCE

_GATHERING_S: Final = 0.05  # how long a bulk waits for room for a whole frame before it takes less


class Answered(NamedTuple):
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
Withdraw = Callable[[Frame, Sequence[int]], int]  # as Link.withdraw
UNWRITTEN: Final = Unwritten()
_UNANSWERED: Final = Unanswered()


class Run:
    """Submits of one frame: their sequence numbers follow each other from `first`, and they are the
    bind's from the `nth` on."""

    __slots__ = ("answers", "call", "count", "first", "frame", "left", "nth", "pdus", "place")

    def __init__(self, call: "Call", first: int, count: int, place: int, nth: int) -> None:
        self.call, self.first, self.count, self.place = call, first, count, place
        self.nth = nth
        self.answers: list[Answer | None] = [None] * count
        self.left = count
        self.pdus: Sequence[bytes] = ()
        self.frame: Frame | None = None

    def settled(self, withdraw: Withdraw) -> list[Answer]:
        """The answers in order; nobody answers any more."""
        if not self.left:
            return [answer for answer in self.answers if answer is not None]
        ends = list(accumulate(map(len, self.pdus)))
        touched = 0 if self.frame is None else withdraw(self.frame, ends)
        return [
            answer or (_UNANSWERED if start < touched else UNWRITTEN)
            for answer, start in zip(self.answers, chain((0,), ends), strict=False)
        ]


class Call:
    """One caller's submits; `tag` names the one at a place to whom a late answer is told."""

    def __init__(self, tag: Callable[[int], object] | None) -> None:
        self.tag = tag
        self.runs: list[Run] = []
        self.left = 0
        self.written = False
        self.done = threading.Event()


class UnderWay:
    """Gives out sequence numbers, 1 to 0x7FFFFFFF and round again, knows who waits on them, and
    lets no more than `most` submits be unanswered. Any thread may use it."""

    def __init__(self, first: int, most: int) -> None:
        self._next, self._most = first, most
        self._room = threading.Condition()
        self._runs: list[Run] = []
        self._taken = self._hurried = 0
        self._opened = self._overtaking = 0  # how many so far, and up to which some are answered
        self._given_up: dict[int, float] = {}  # sequence numbers that keep their room until then
        self._over = False
        self.late = Late()

    def take(self) -> int:
        """The next number, for what is no submit."""
        with self._room:
            return self._take(1)[0]

    def reserve(self, most: int, haste: Haste, patience: float) -> int:
        """Waits for room; returns for how many submits, at most `most`: 0 when the bind is over
        or there was none for `patience` seconds. Who is no bulk goes first."""
        with self._room:
            self._forget(time.monotonic())
            if haste == "bulk":
                # a quarter at a time, so that answers and submits overlap
                wanted = min(most, max(1, self._most // 4))
                self._room.wait_for(lambda: self._has_room(wanted), _GATHERING_S)
                waited = self._room.wait_for(lambda: self._has_room(1), patience)
                return self._granted(most) if waited else 0
            self._hurried += 1
            self._room.wait_for(lambda: self._over or self._most > self._taken, patience)
            self._hurried -= 1
            self._room.notify_all()
            return self._granted(most)

    def release(self, count: int) -> None:
        """So many of the reserved are not written after all."""
        with self._room:
            self._free(count)

    def open(self, call: Call, count: int, place: int) -> Run:
        """Up to `count` submits of the reserved, from that place of the call on, wait from now."""
        with self._room:
            first, given = self._take(count)
            run = Run(call, first, given, place, self._opened)
            self._opened += given
            call.runs.append(run)
            call.left += given
            self._runs.append(run)
            return run

    def written(self, call: Call) -> None:
        """The call writes no more: it is done when all it wrote is answered, or nothing can be."""
        with self._room:
            call.written = True
            if self._over or not call.left:
                call.done.set()

    def answer(self, sequences: Sequence[int], answers: Sequence[Answer]) -> list[int]:
        """Gives waiting submits their answers; returns the places of those nobody waits for."""
        strays: list[int] = []
        at = 0
        with self._room:
            while at < len(sequences):
                run = self._run_of(sequences[at])
                if run is None:
                    strays.append(at)
                    at += 1
                    continue
                took = self._answer_in(run, sequences, answers, at)
                if not took:
                    strays.append(at)
                at += took or 1
        return strays

    def overtaken(self, call: Call) -> bool:
        """Whether something was answered that left after all of the call that is unanswered."""
        with self._room:
            waits = [run.nth + _last_unanswered(run) for run in call.runs if run.left]
            return bool(waits) and self._overtaking > max(waits) + 1

    def close(self, call: Call, until: float) -> None:
        """Nothing of the call waits any longer; what comes yet is late. The SMSC may be at work on
        it until that moment: so long it takes up its room."""
        if not call.left:
            return
        now = time.monotonic()
        with self._room:
            for run in call.runs:
                if run.left:
                    self._runs.remove(run)
                    self._give_up(run, now, until)

    def came_late(self, sequence: int) -> object | None:
        """As Late.take, for an answer that nobody waits for."""
        with self._room:
            if self._given_up.pop(sequence, None) is not None:
                self._free(1)
        return self.late.take(sequence, time.monotonic())

    def abandon(self) -> None:
        """Ends every wait: no answer will come."""
        with self._room:
            self._over = True
            for run in self._runs:
                run.call.done.set()
            self._room.notify_all()

    def __len__(self) -> int:
        return self._taken

    # under the lock

    def _has_room(self, wanted: int) -> bool:
        return self._over or (not self._hurried and self._most - self._taken >= wanted)

    def _granted(self, most: int) -> int:
        count = 0 if self._over else max(0, min(most, self._most - self._taken))
        self._taken += count
        return count

    def _free(self, count: int) -> None:
        self._taken -= count
        self._room.notify_all()

    def _take(self, count: int) -> tuple[int, int]:
        first = self._next
        given = min(count, LAST_SEQUENCE - first + 1)
        self._next = 1 if first + given > LAST_SEQUENCE else first + given
        return first, given

    def _run_of(self, sequence: int) -> Run | None:
        for run in self._runs:
            if 0 <= sequence - run.first < run.count:
                return run
        return None

    def _answer_in(
        self, run: Run, sequences: Sequence[int], answers: Sequence[Answer], at: int
    ) -> int:
        """How many from `at` on were answered together; 0 for a repeat."""
        place = sequences[at] - run.first
        together = min(len(sequences) - at, run.count - place)
        if not _follow(sequences, at, together) or not _wait(run, place, together):
            together = 1
            if run.answers[place] is not None:
                return 0
        run.answers[place : place + together] = answers[at : at + together]
        self._overtaking = max(self._overtaking, run.nth + place + together)
        self._answered(run, together)
        return together

    def _answered(self, run: Run, count: int) -> None:
        run.left -= count
        run.call.left -= count
        if not run.left:
            self._runs.remove(run)
        if run.call.written and not run.call.left:
            run.call.done.set()
        self._free(count)

    def _give_up(self, run: Run, now: float, until: float) -> None:
        places = [place for place, answer in enumerate(run.answers) if answer is None]
        self._given_up |= {run.first + place: until for place in places}
        self._forget(now)
        tag = run.call.tag
        if tag is not None:
            self.late.expect(((run.first + one, tag(run.place + one)) for one in places), now)

    def _forget(self, now: float) -> None:
        over = [sequence for sequence, until in self._given_up.items() if until <= now]
        for sequence in over:
            del self._given_up[sequence]
        if over:
            self._free(len(over))


def _last_unanswered(run: Run) -> int:
    return max(place for place, answer in enumerate(run.answers) if answer is None)


def _follow(sequences: Sequence[int], at: int, count: int) -> bool:
    """Whether they come one by one; most often they do, and are answered as one."""
    first, last = sequences[at], sequences[at + count - 1]
    return last - first == count - 1 and sequences[at : at + count] == list(range(first, last + 1))


def _wait(run: Run, place: int, count: int) -> bool:
    return run.answers[place : place + count].count(None) == count
