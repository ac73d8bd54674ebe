"""Knows how a window leaves by HTTP: in requests of at most 50 rows, each with a verdict, and
nothing more for a while where one met trouble. It knows no company."""

import math
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import structlog

from ussdapp.core import parts
from ussdapp.core.notification import Lane
from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted
from ussdapp.wire.http import NoAnswer, NotReached, WireAnswer
from ussdapp.wire.pace import Haste, Pace
from ussdapp.wire.smpp_options import Options, read

WINDOW: Final = 50  # rows claimed at a time and recipients a request: one silence's doubt
CONNECTIONS: Final = 8  # requests at a time: texts that differ cannot share one
CONNECTS_WITHIN: Final = 3.05  # seconds
ANSWERS_WITHIN: Final = 15.0  # seconds; each silence is a doubt, so long
SOON: Final = 5.0  # seconds of pause: the network is in trouble
LONGEST: Final = 300.0  # it doubles to that while every request ends in doubt
PATIENCE: Final = 30.0  # it asks us to slow down and does not say for how long
LONG: Final = 900.0  # a person must act first: top up, or mend a key
_WINDOW_S: Final = 5.0  # at most so long a window waits for its pace
_NO_BIND_S: Final = 60.0

# HTTP status of a whole request. 5xx may come after it was taken; so may what is not listed.
ANSWERS: Final[Mapping[int, Outcome]] = {
    **{status: Rejected(f"http_{status}") for status in (400, 413, 422)},  # this request is wrong
    # our key, account or address is: a person mends it and all may go again
    **{status: Deferred(f"http_{status}", LONG) for status in (401, 402, 403, 404, 405, 407)},
    429: Deferred("http_429", PATIENCE),
}
_log = structlog.get_logger()


class Spelling(Protocol):
    """How one company spells a request and its answer. Neither raises but as said."""

    def ask(self, rows: Sequence[Submission]) -> WireAnswer:
        """Posts rows of one text and one sender ID, no MSISDN twice. Raises NotReached and
        NoAnswer."""
        ...

    def outcomes(self, rows: Sequence[Submission], answer: WireAnswer) -> Sequence[Outcome] | None:
        """One a row, in order; None where none was taken because of one that is not named."""
        ...


class HttpSending:
    """A channel without a bind. `tps` is in parts, 0 for no limit; `clock` gives monotonic
    seconds. Trouble that is no row's own holds all of it back for as long as it asks: until then
    it is not ready, and its fallback may take over."""

    def __init__(
        self, name: str, spelling: Spelling, tps: float, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self.window = max(1, min(WINDOW, int(tps * _WINDOW_S))) if tps else WINDOW
        self._spelling = spelling
        self._tps = tps
        self._pace = Pace(tps, clock)
        self._clock = clock
        self._held_until = 0.0
        self._doubts = 0  # whole requests in a row, since one was taken
        self._closed = threading.Event()

    def ready(self) -> bool:
        """Whether nothing holds it back; there is no bind to wait for."""
        return self._clock() >= self._held_until

    def open(self, on_receipts: Any, on_mos: Any, answering: Any = None) -> None:
        """Nothing comes in here: receipts, texts and dialogues are callbacks."""

    def keep_bound(self) -> float:
        """There is no bind to keep; seconds until asked again."""
        return max(1.0, min(_NO_BIND_S, self._held_until - self._clock()))

    def late(self) -> Sequence[tuple[Submission, Outcome]]:
        """Nothing: a request that was given up has no answer."""
        return ()

    def share(self, binds: int) -> None:
        """So many processes, this one among them, use the channel's TPS together."""
        self._pace.share(binds)

    def close(self) -> None:
        """Each request closes what it opened; none begins after this."""
        self._closed.set()

    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        """One outcome a row, in order. What has not left when a request meets trouble is held
        back for as long as that trouble asks; after a doubt one row alone goes first."""
        haste: Haste = "express" if lane is Lane.EXPRESS else "bulk"
        found: dict[int, Outcome] = {}
        batches = list(_batches(window, self._tps))
        if self._doubts and batches:
            batches = _one_first(batches)
            first = batches.pop(0)
            found |= zip(first, self._tried(list(first.values()), haste), strict=True)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            tried = pool.map(lambda batch: self._tried(list(batch.values()), haste), batches)
            for batch, outcomes in zip(batches, tried, strict=True):
                found |= zip(batch, outcomes, strict=True)
        return [found[place] for place in range(len(window))]

    def _tried(self, rows: Sequence[Submission], haste: Haste) -> Sequence[Outcome]:
        if not self._may_leave(rows, haste):
            pause = max(1, math.ceil(self._held_until - self._clock()))
            return [Deferred("held_back", pause)] * len(rows)
        outcomes = self._asked(rows)
        if outcomes is None:
            half = (len(rows) + 1) // 2
            return [*self._tried(rows[:half], haste), *self._tried(rows[half:], haste)]
        self._note(rows, outcomes)
        return outcomes

    def _may_leave(self, rows: Sequence[Submission], haste: Haste) -> bool:
        left = count_parts(rows[0].text) * len(rows)
        while left > 0 and self.ready() and not self._closed.is_set():
            step = min(left, self._pace.step)
            if not self._pace.turn(step, haste, self._closed):
                return False
            left -= step
        return self.ready() and not self._closed.is_set()

    def _asked(self, rows: Sequence[Submission]) -> Sequence[Outcome] | None:
        try:
            answer = self._spelling.ask(rows)
        except NotReached:
            return [Deferred("unreachable", SOON)] * len(rows)
        except NoAnswer:
            return [InDoubt("no_answer")] * len(rows)
        outcomes = self._spelling.outcomes(rows, answer)
        if outcomes is None and len(rows) == 1:
            return [InDoubt("not_named")]
        return outcomes

    def _note(self, rows: Sequence[Submission], outcomes: Sequence[Outcome]) -> None:
        taken = sum(isinstance(outcome, Submitted) for outcome in outcomes)
        self._pace.taken(taken * count_parts(rows[0].text))
        troubles = [one for one in outcomes if isinstance(one, Deferred) and not one.counts]
        if taken:
            self._doubts = 0
        elif self.ready() and all(isinstance(outcome, InDoubt) for outcome in outcomes):
            # the next may be lost in the same way; of those under way together one counts
            self._hold("in_doubt", min(LONGEST, SOON * 2.0 ** min(self._doubts, 16)))
            self._doubts += 1
        if troubles:
            worst = max(troubles, key=lambda one: one.pause)
            self._hold(worst.code, worst.pause)
            if worst.code == "http_429" and self._tps:
                self._pace.refused()

    def _hold(self, code: str, pause: float) -> None:
        self._held_until = max(self._held_until, self._clock() + pause)
        _log.warning("channel.held", channel=self.name, code=code, pause=pause)


def read_tps(options: Options) -> float:
    """The option `tps`, parts a second, 0 unless given; raises ValueError."""
    tps = float(read(options, "tps", float, 0.0))
    if not 0 <= tps < math.inf:
        raise ValueError("tps is 0, for no limit, or more")
    return tps


def refused(answer: WireAnswer) -> Outcome:
    """What the HTTP status alone says of a request that was not answered as their document has
    it."""
    refusal = ANSWERS.get(answer.status, InDoubt(f"http_{answer.status}"))
    after = answer.headers.get("retry-after", "")
    if isinstance(refusal, Deferred) and re.fullmatch(r"[0-9]{1,5}", after):
        return Deferred(refusal.code, max(1.0, min(float(after), LONG)))
    return refusal


def count_parts(text: str) -> int:
    """How many parts a text counts for the pace."""
    try:
        return len(parts.split(text))
    except parts.TooLong:
        return parts.MOST_PARTS


def _one_first(batches: Sequence[Mapping[int, Submission]]) -> list[Mapping[int, Submission]]:
    """The same, the first row in a request of its own."""
    first, *others = batches
    place, *places = first
    rest = [{one: first[one] for one in places}] if places else []
    return [{place: first[place]}, *rest, *others]


def _batches(window: Sequence[Submission], tps: float) -> Iterator[Mapping[int, Submission]]:
    """Rows by their place, a request each: one text, one sender ID, no MSISDN twice, and no more
    parts than may leave in a second."""
    groups: dict[tuple[str, str, int], dict[int, Submission]] = defaultdict(dict)
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    for place, row in enumerate(window):
        copy = (row.text, row.sender_id, row.msisdn.digits)
        groups[row.text, row.sender_id, seen[copy]][place] = row
        seen[copy] += 1
    for (text, _, _), rows in groups.items():
        places = list(rows)
        most = max(1, min(WINDOW, int(tps) // count_parts(text))) if tps else WINDOW
        for start in range(0, len(places), most):
            yield {place: rows[place] for place in places[start : start + most]}
