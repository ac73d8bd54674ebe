"""Knows how a text and its numbered lines are cut into pages that fit a screen.

A page is text, then lines, then a tail (`99 Zaidi`, the way back). Text is cut at word ends, a line
never; the last page has no `99` and uses that room. The pieces of text joined are the text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.screen_text import LEAST, cut, width

UCS2_OF: Final = (70, 160)  # UTF-16 units that a screen of so many septets has room for
_SPACE: Final = re.compile(r"\s+")


def units(text: str) -> int:
    """UTF-16 units of a text: what UCS-2 counts in."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands below a page. `first` is the way back of the first page, `later` that of others,
    `more` the line that leads on. A text that `ends` has nothing below its last page. `spare` is
    room that lines leave for a sentence above them."""

    budget: int
    more: str
    first: str = ""
    later: str = ""
    ends: bool = False
    spare: int = 0
    measure: Callable[[str], int] = width

    def tail(self, page: int, *, last: bool) -> str:
        """What stands below that page, line breaks before it included."""
        back = self.later if page else self.first
        if last:
            return "" if self.ends or not back else f"\n{back}"
        return f"\n{self.more}\n{back}" if back else f"\n{self.more}"

    def takes(self, lines: Sequence[str]) -> bool:
        """Whether there is a page for every line."""
        below = max(self.measure(self.tail(page, last=False)) for page in (0, 1))
        room = self.budget - below - self.spare
        return all(self.measure(line) + 1 <= room for line in lines)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: a piece of the text with the space it was cut at, whole lines, what is below.
    `text` is what is shown."""

    piece: str
    lines: tuple[str, ...]
    tail: str
    text: str = field(init=False)

    def __post_init__(self) -> None:
        above = self.piece.rstrip()
        parts = (above, *self.lines) if above else self.lines
        below = self.tail if parts else self.tail.removeprefix("\n")
        object.__setattr__(self, "text", "\n".join(parts) + below)

    def warning(self, sentence: str, frame: Frame) -> str:
        """The page with a sentence above it; where there is no room, its text gives way."""
        room = frame.budget - frame.measure("".join(f"\n{line}" for line in self.lines) + self.tail)
        above = f"{sentence}\n{self.piece.rstrip()}".rstrip()
        if frame.measure(above) > room:
            left = room - frame.measure(f"{sentence}\n")
            kept = cut(self.piece, left) if left > LEAST and frame.measure is width else ""
            above = f"{sentence}\n{kept}".rstrip()
        return "\n".join((above, *self.lines)) + self.tail


def frame_for(text: str, frame: Frame) -> Frame:
    """The frame as it counts that text: in UCS-2 where a character forces it."""
    if gsm7.septets(text) is not None:
        return frame
    room, of = UCS2_OF
    return replace(frame, budget=frame.budget * room // of, measure=units)


def lay(text: str, lines: Sequence[str], frame: Frame) -> tuple[Page, ...]:
    """The pages of a text and its lines, at least one. A line that no page has room for stands
    alone, wider than the budget: menu proof refuses such a line."""
    pages: list[Page] = []
    rest, left = text, list(lines)
    while True:
        number = len(pages)
        final = frame.tail(number, last=True)
        if _fits(rest, left, final, frame):
            return (*pages, Page(rest, tuple(left), final))
        tail = frame.tail(number, last=False)
        piece = _head(rest, frame.budget - frame.measure(tail), frame.measure)
        rest = rest[len(piece) :]
        taken = [] if rest else _lines_taken(piece, left, tail, frame)
        if not piece and not taken:
            taken = left[:1]
        left = left[len(taken) :]
        pages.append(Page(piece, tuple(taken), tail))
        if not rest and not left:
            return tuple(pages)  # only where a line was too wide for any page


def _fits(text: str, lines: Sequence[str], tail: str, frame: Frame) -> bool:
    below = _width_of(lines, frame) + frame.measure(tail)
    shown = frame.measure(text) + below if text else below - 1
    warned = frame.spare + below if lines else 0
    return max(shown, warned) <= frame.budget


def _width_of(lines: Sequence[str], frame: Frame) -> int:
    return sum(frame.measure(line) + 1 for line in lines)


def _lines_taken(piece: str, left: Sequence[str], tail: str, frame: Frame) -> list[str]:
    taken: list[str] = []
    above = piece.rstrip()
    for line in left:
        if not _fits(above, [*taken, line], tail, frame):
            break
        taken.append(line)
    return taken


def _head(text: str, room: int, measure: Callable[[str], int]) -> str:
    """As many whole words of the text as fit, with the space after them; of a word that fills a
    page by itself as much as fits."""
    if measure(text) <= room:
        return text
    end = 0
    for space in _SPACE.finditer(text):
        if measure(text[: space.start()]) > room:
            break
        end = space.end()
    if text[:end].strip():
        return text[:end]
    return _cut(text, room, measure)


def _cut(text: str, room: int, measure: Callable[[str], int]) -> str:
    end = min(len(text), max(room, 1))
    while end > 1 and measure(text[:end]) > room:
        end -= 1
    return text[:end]
