"""Knows what became of the rows of a window: most are one part, some are several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted


@dataclass(slots=True)
class PartOutcomes:
    """One submission under way: the bodies of the parts it lacks by their number, and what became
    of each, in the same order; none before the first answers."""

    bodies: dict[int, bytes]
    outcomes: list[Outcome] = field(default_factory=list)

    def folded(self) -> Outcome:
        """One outcome for all parts: doubt first, then refusal; with what was taken all the same,
        so that it is not submitted again."""
        told = dict(zip(self.bodies, self.outcomes, strict=True))
        ids = {
            number: outcome.message_ids[0] if outcome.message_ids else ""
            for number, outcome in told.items()
            if isinstance(outcome, Submitted)
        }
        if len(ids) == len(told):
            return Submitted(tuple(ids.values()))
        return _worst(self.outcomes, tuple(ids.items()))


# one part, the parts of a text, or nothing to submit
Rendered = bytes | PartOutcomes | Rejected | Deferred


class Sent:
    """The rows of one window, each with what is submitted of it. `bodies` are all of it in order;
    until it is `over`, answers that come late are none of its caller's yet."""

    def __init__(self, window: Sequence[Submission], rows: Sequence[Rendered]) -> None:
        self._window, self._rows = window, rows
        self.over = False
        # where the body at a place belongs: its row, and which of the row's bodies it is
        self._places: list[tuple[int, int]] | None = None
        self.bodies: Sequence[bytes]
        if all(type(row) is bytes for row in rows):
            self.bodies = [row for row in rows if isinstance(row, bytes)]
        else:
            self.bodies, self._places = _laid_out(rows)

    def tag(self, place: int) -> tuple[Self, int]:
        """What the body at that place is known by."""
        return self, place

    def outcomes(self, each: Sequence[Outcome]) -> Sequence[Outcome]:
        """One outcome a row, from one a body."""
        if self._places is None:
            return each
        told = iter(each)
        return [_outcome_of(row, told) for row in self._rows]

    def now(self, place: int, outcome: Outcome) -> tuple[Submission, Outcome]:
        """The row of the body at that place, and its outcome now that this is the body's."""
        row_place, number = (place, 0) if self._places is None else self._places[place]
        row = self._rows[row_place]
        if isinstance(row, PartOutcomes):
            row.outcomes[number] = outcome
            outcome = row.folded()
        return self._window[row_place], outcome


def _laid_out(rows: Sequence[Rendered]) -> tuple[list[bytes], list[tuple[int, int]]]:
    bodies: list[bytes] = []
    places: list[tuple[int, int]] = []
    for place, row in enumerate(rows):
        if isinstance(row, Rejected | Deferred):
            continue
        some = [row] if isinstance(row, bytes) else list(row.bodies.values())
        bodies += some
        places += [(place, number) for number in range(len(some))]
    return bodies, places


def _outcome_of(row: Rendered, told: Iterator[Outcome]) -> Outcome:
    if isinstance(row, Rejected | Deferred):
        return row
    if isinstance(row, bytes):
        return next(told)
    row.outcomes = [next(told) for _ in row.bodies]
    return row.folded()


def _worst(outcomes: Sequence[Outcome], taken: tuple[tuple[int, str], ...]) -> Outcome:
    """Of outcomes that are not all Submitted."""
    for kind in (InDoubt, Rejected):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                return kind(outcome.code, taken=taken)
    waits = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
    longest = max(waits, key=lambda outcome: outcome.pause)
    counts = any(outcome.counts for outcome in waits)
    return Deferred(longest.code, longest.pause, counts, taken)
