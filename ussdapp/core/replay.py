"""Knows how a dialogue is walked again from what was keyed, and how a cumulative text is spelt
into keys.

A cumulative text joins keys with `*` and does not say which `*` a citizen typed. Three rules read
it. After what is known to have been keyed, all that an input screen is sent is one key. Elsewhere
each piece is a key. But a piece that the screen after an input does not take, that is more than
one or two digits, and that the input would take with a `*` before it, belongs to those words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ussdapp.core.dialogue import Moved, answered, home, move, shown
from ussdapp.core.menu import Input, Lookup, Menu
from ussdapp.core.session import Found, Record, Session, Turn

BETWEEN: Final = "*"
_MISTYPED: Final = re.compile(r"[0-9]{0,2}")  # a wrong key rather than words


@dataclass(frozen=True, slots=True, repr=False)
class Walk:
    """A record, the turn it leads to, and the session before its last key. A turn that asks for
    what the record has not found ends the walk, whatever was keyed after it."""

    record: Record
    turn: Turn
    before: Session

    @property
    def last(self) -> Record:
        """The record without its last key."""
        return replace(self.record, keys=self.record.keys[:-1])


def replay(menu: Menu, record: Record) -> Turn:
    """The screen a record's keys lead to."""
    return extend(menu, record, ()).turn


def extend(menu: Menu, record: Record, pieces: Sequence[str]) -> Walk:
    """The walk of a record's keys, then of those pieces."""
    walking = _Walking(menu, record)
    for key in record.keys:
        walking.take(key)
    walking.settle()
    for piece in pieces:
        walking.read(piece)
    return walking.walk(record)


def split(text: str) -> tuple[str, ...]:
    """A cumulative text at every `*`."""
    return tuple(text.split(BETWEEN))


def _pieces(menu: Menu, record: Record, rest: str) -> tuple[str, ...]:
    """What was keyed after the record's keys: one key for an input screen, else piece by piece."""
    turn = replay(menu, record)
    if isinstance(menu.screens[turn.session.screen], Input):
        return (rest,)
    return split(rest)


def news(menu: Menu, kept: Record, text: str) -> Record | tuple[str, ...]:
    """The keys a cumulative text adds to what is kept, or the record whose screen it gets again:
    an earlier state for a repeated or late text, the kept one for what does not go on from it."""
    earlier, rest = _repeated(kept, text), _rest_after(kept, text)
    if earlier is not None or rest is None:
        return earlier or kept
    return _pieces(menu, kept, rest)


def _rest_after(record: Record, text: str) -> str | None:
    if not record.keys:
        return text
    seen = record.seen + BETWEEN
    return text[len(seen) :] if text.startswith(seen) else None


def _repeated(record: Record, text: str) -> Record | None:
    for count in range(len(record.keys), -1, -1):
        earlier = replace(record, keys=record.keys[:count])
        if earlier.seen == text:
            return earlier
    return None


class _Walking:
    """One walk under way; it lives no longer than the function that makes it."""

    def __init__(self, menu: Menu, record: Record) -> None:
        self._menu = menu
        self._found: Iterator[Found] = iter(record.found)
        self._moved = Moved(home(menu, record.language))
        self._before = self._moved.session
        self._typing: Session | None = None  # the input screen that took the last key
        self._keys: list[str] = []

    def take(self, key: str) -> None:
        """One more key, as it is."""
        if not self._asks():
            self._before = self._moved.session
            self._keys.append(key)
            self._go(move(self._menu, self._before, key))

    def settle(self) -> None:
        """What was taken is known: nothing read later belongs to it."""
        self._typing = None

    def read(self, piece: str) -> None:
        """One more piece: a key, or the rest of the words before it."""
        words = f"{self._keys[-1]}{BETWEEN}{piece}" if self._keys else piece
        if self._typing and not self._asks() and self._goes_on(words, piece):
            self._keys.pop()
            self._moved = Moved(self._typing)
            piece = words
        self.take(piece)

    def walk(self, record: Record) -> Walk:
        """Where it led."""
        walked = replace(record, keys=tuple(self._keys))
        return Walk(walked, shown(self._menu, self._moved), self._before)

    def _goes_on(self, words: str, piece: str) -> bool:
        here, typing = self._moved.session, self._typing
        if _MISTYPED.fullmatch(piece):
            return False
        refused = move(self._menu, here, piece).sentence is not None
        return refused and typing is not None and move(self._menu, typing, words).sentence is None

    def _go(self, moved: Moved) -> None:
        typed = isinstance(self._menu.screens[self._before.screen], Input)
        self._typing = self._before if typed and moved.sentence is None else None
        while self._asks_at(moved.session):
            found = next(self._found, None)
            if found is None:
                break
            self._typing = None
            moved = Moved(answered(self._menu, moved.session, found))
        self._moved = moved

    def _asks(self) -> bool:
        return self._asks_at(self._moved.session)

    def _asks_at(self, session: Session) -> bool:
        return isinstance(self._menu.screens[session.screen], Lookup)
