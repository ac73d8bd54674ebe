"""What was counted of dialogues in passing is kept for good."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ussdapp.core.funnel import Drain

EVERY: Final = timedelta(minutes=1)


class Counts(Protocol):
    """What was counted and not kept yet. Raises Unavailable."""

    def drain(self, now: datetime) -> Iterator[Drain]:
        """Takes out what there is, a day at a time; the same again until it is forgotten."""
        ...

    def forget(self, drain: Drain) -> None:
        """It is kept: it comes no more."""
        ...


class Facts(Protocol):
    """Keeps for good what became of screens. Raises Unavailable."""

    def add(self, drain: Drain, at: datetime) -> bool:
        """Commits its counts, once however often it comes; tells whether this was the once."""
        ...


@dataclass(slots=True)
class CountSteps:
    """Harmless at any time, any number of times and in several processes; works once a minute.
    Raises Unavailable."""

    counts: Counts
    facts: Facts
    due: datetime | None = None

    def __call__(self, now: datetime) -> int:
        """One round; returns how many drains it kept."""
        if self.due is not None and now < self.due:
            return 0
        self.due = now + EVERY
        kept = 0
        for drain in self.counts.drain(now):
            kept += self.facts.add(drain, now)
            self.counts.forget(drain)
        return kept
