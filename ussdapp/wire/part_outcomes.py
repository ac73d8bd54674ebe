"""Knows what became of a text of several parts: each part's outcome, and one for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted


@dataclass(slots=True)
class PartOutcomes:
    """One submission under way: the bodies of the parts it lacks by their number, and what became
    of each, in the same order; none before the first answers."""

    submission: Submission
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
