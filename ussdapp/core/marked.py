"""Knows how a request that comes twice is told from a key that is keyed twice, on a channel that
sends the last input alone.

Where requests are numbered, the same number and input is one request. Where the numbers stay the
same, or are not known yet to differ, only time can tell: nobody reads a screen and keys in less
than two seconds, and no aggregator asks again after more than twenty.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Record

HASTE_S: Final = 2.0  # sooner, nobody has read the screen
PATIENCE_S: Final = 20.0  # later, no aggregator repeats a request
MOST_MARKS: Final = 16
NUMBER: Final = 12  # characters of a mark that tell the number
_FIRST: Final = "first"


@dataclass(frozen=True, slots=True, repr=False)
class Marked(Keyed):
    """A last input with what its channel tells of the request: its `number` as it was spelt, and
    whether it is the `first` of its dialogue."""

    number: str = ""
    first: bool = False


class Told(Enum):
    """What a request is beside those before it."""

    NEW = "new"
    REPEATED = "repeated"
    UNSURE = "unsure"  # a key, or a repeat of the one before: it may lead on, but has no effect


def told(kept: Record, keyed: Marked, at: float) -> Told:
    """What a request is that came at that time, in seconds since 1970."""
    mark = _mark(keyed)
    if keyed.first:
        return Told.REPEATED
    if mark not in kept.marks:
        return Told.NEW
    if _numbered(kept.marks):
        return Told.REPEATED
    if mark != kept.marks[-1] or (elapsed := at - kept.marked_at) >= PATIENCE_S:
        return Told.NEW
    # the dial is numbered apart: rather a key too few than a step nobody saw
    apart = len(kept.marks) == 2 and kept.marks[0][:NUMBER] != mark[:NUMBER]
    return Told.REPEATED if apart or elapsed < HASTE_S else Told.UNSURE


def marked(record: Record, keyed: Keyed, at: float, before: Record | None = None) -> Record:
    """The record with the mark of the request that led to it, after those of the record before;
    as it is on a channel that marks none."""
    if not isinstance(keyed, Marked):
        return record
    marks = (before or record).marks
    return replace(record, marks=(*marks, _mark(keyed))[-MOST_MARKS:], marked_at=at)


def _numbered(marks: tuple[str, ...]) -> bool:
    """Whether every request of keys so far has a number of its own, of two at least."""
    numbers = [mark[:NUMBER] for mark in marks if not mark.endswith(_FIRST)]
    return len(numbers) > 1 and len(set(numbers)) == len(numbers)


def _mark(keyed: Marked) -> str:
    text = _FIRST if keyed.first else _digest(keyed.text)
    return f"{_digest(keyed.number)}.{text}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
