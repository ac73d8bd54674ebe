"""Knows what is counted of dialogues: how screens were entered and left, and nothing of what was
keyed or by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final

OFFER: Final = "resume"  # the offer to go on; screens of a menu have a dot in their names
BOUNDS: Final = (1, 2, 4, 7, 13, 24, 46, 88, 167, 316, 600)  # seconds, each about 1.9 x the last
BUCKETS: Final = len(BOUNDS) + 1
ENTRIES: Final = "entries"
EXITS: Final = "exits"
WRONG: Final = "wrong"
ENDED: Final = "ended"
_BETWEEN: Final = "|"


@dataclass(frozen=True, slots=True)
class Seen:
    """A screen as citizens meet it."""

    channel: str
    language: str
    screen: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one step adds: `shown` is the screen in front of the citizen now, `left` the one the
    key was keyed on, None where that is not known. `day` (YYYYMMDD, EAT) is when its dialogue
    began, so that a screen is entered and left on one day."""

    day: str
    shown: Seen
    ends: bool = False
    left: Seen | None = None
    wrong: bool = False

    @property
    def stays(self) -> bool:
        """Whether the same screen is in front of the citizen, on any of its pages."""
        return self.left is not None and self.left.screen == self.shown.screen


@dataclass(frozen=True, slots=True)
class Fact:
    """What became of one screen on one day. `buckets` count how long citizens had it in front of
    them before each key, cut at BOUNDS."""

    day: date
    seen: Seen
    entries: int = 0
    exits: int = 0
    wrong: int = 0
    ended: int = 0
    buckets: tuple[int, ...] = (0,) * BUCKETS

    @property
    def dropped(self) -> int:
        """How many went no further from there, though their dialogue had not ended. A dialogue
        still going on is among them."""
        return max(0, self.entries - self.exits - self.ended)

    @property
    def median_s(self) -> float | None:
        """Seconds until half of the keys had come, None before the first."""
        return median(self.buckets)


@dataclass(frozen=True, slots=True)
class Drain:
    """Counts taken out to be kept for good; `id` tells them from any others, also when they are
    taken out again."""

    id: str
    day: date
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Days, the first and the last included, and whose screens: a branch, or None for all."""

    first: date
    last: date
    branch: str | None = None


def place(seen: Seen) -> str:
    """How a counted screen is written before the name of what is counted."""
    # an institution names its screens, and none is to be counted as another's
    channel, screen = (name.replace(_BETWEEN, "/") for name in (seen.channel, seen.screen))
    return f"{channel}|{seen.language}|{screen}|"


def day_read(day: str) -> date:
    """A day written YYYYMMDD. Raises ValueError."""
    return datetime.strptime(day, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


def facts(day: date, counts: Mapping[str, int]) -> tuple[Fact, ...]:
    """The facts that counts by `place` and name make; what is not so written is left out."""
    found: dict[Seen, dict[str, int]] = {}
    for written, count in counts.items():
        *seen, name = written.split(_BETWEEN)
        if len(seen) == len(fields(Seen)):
            found.setdefault(Seen(*seen), {})[name] = count
    return tuple(_fact(day, seen, named) for seen, named in found.items())


def _fact(day: date, seen: Seen, named: Mapping[str, int]) -> Fact:
    return Fact(
        day=day,
        seen=seen,
        entries=named.get(ENTRIES, 0),
        exits=named.get(EXITS, 0),
        wrong=named.get(WRONG, 0),
        ended=named.get(ENDED, 0),
        buckets=tuple(named.get(str(number), 0) for number in range(BUCKETS)),
    )


def median(buckets: Sequence[int]) -> float | None:
    """The median of what buckets count, in seconds and to a tenth: within a bucket its values are
    taken to be spread evenly on the same scale. None of nothing."""
    total = sum(buckets)
    if not total:
        return None
    below = 0
    for number, count in enumerate(buckets):
        if below + count >= total / 2:
            return round(_within(number, (total / 2 - below) / count), 1)
        below += count
    raise AssertionError("half of a total is reached before its end")


def _within(number: int, part: float) -> float:
    if number == 0:
        return part * BOUNDS[0]
    if number == len(BOUNDS):
        return float(BOUNDS[-1])
    low, high = BOUNDS[number - 1], BOUNDS[number]
    scaled: float = low * (high / low) ** part
    return scaled
