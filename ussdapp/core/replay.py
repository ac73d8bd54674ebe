"""Knows how a dialogue is walked again from what was keyed, and how a cumulative text is spelt
into keys.

A cumulative text joins keys with `*` and does not say which `*` a citizen typed. Three rules read
it. After what is known to have been keyed, all that an input screen or an application is sent is
one key. Elsewhere each piece is a key. But a piece that the screen after an input does not take,
that is more than one or two digits, and that the input would take with a `*` before it, belongs to
those words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ussdapp.core.dialogue import Moved, answered, asks, first, move, shown
from ussdapp.core.menu import Menu
from ussdapp.core.screens import External, Input
from ussdapp.core.session import Found, Record, Session, Turn

BETWEEN: Final = "*"
_MISTYPED: Final = re.compile(r"[0-9]{0,2}")  # a wrong key rather than words


@dataclass(frozen=True, slots=True, repr=False)
class Walk:
    """A record, the turn it leads to, and the session before its last key. A turn that asks for
    what the record has not found ends the walk: `unread` pieces were keyed after it."""

    record: Record
    turn: Turn
    before: Session
    unread: int = 0

    @property
    def last(self) -> Record:
        """The record without its last key."""
        return self.record.keyed(self.record.keys[:-1])


def replay(menu: Menu, record: Record) -> Turn:
    """The screen a record's keys lead to."""
    return extend(menu, record, ()).turn


def extend(menu: Menu, record: Record, pieces: Sequence[str]) -> Walk:
    """The walk of a record's past and keys, then of those pieces."""
    walking = _Walking(menu, record)
    for key in record.past:
        walking.take(key)
    walking.keys.clear()
    for key in record.keys:
        walking.take(key)
    walking.settle()
    for piece in pieces:
        walking.read(piece)
    return walking.walk(record)


def split(text: str) -> tuple[str, ...]:
    """A cumulative text at every `*`."""
    return tuple(text.split(BETWEEN))


def news(menu: Menu, kept: Record, text: str) -> Record | tuple[str, ...]:
    """The keys a cumulative text adds to what is kept, or the record whose screen it gets again:
    an earlier state for a repeated or late text, the kept one for what does not go on from it."""
    earlier, rest = _repeated(kept, text), rest_after(kept, text)
    if earlier is not None or rest is None:
        return earlier or kept
    return _pieces(menu, kept, rest)


def rest_after(record: Record, text: str) -> str | None:
    """What a text adds to what is known, None when it does not go on from it."""
    seen = record.seen
    if seen is None:
        return text
    return text[len(seen) + 1 :] if text.startswith(seen + BETWEEN) else None


def _pieces(menu: Menu, record: Record, rest: str) -> tuple[str, ...]:
    """What was keyed after the record's keys: one key for words, else piece by piece."""
    if record.offered or BETWEEN not in rest:
        return (rest,)
    session = replay(menu, record).session
    if isinstance(menu.screens[session.screen], Input | External):
        return (rest,)
    return split(rest)


def _repeated(record: Record, text: str) -> Record | None:
    if not (record.seen or "").startswith(text):
        return None
    for count in range(len(record.keys), -1, -1):
        earlier = record.keyed(record.keys[:count])
        if (earlier.seen or "") == text:
            return earlier
    return None


class _Walking:
    """One walk under way; it lives no longer than the function that makes it."""

    def __init__(self, menu: Menu, record: Record) -> None:
        self._menu = menu
        self._found: Iterator[Found] = iter(record.found)
        sentence = menu.words.lost if record.sorry else None
        self._moved = Moved(first(menu, record.language, record.day), sentence)
        self._before = self._moved.session
        self._typing: Session | None = None  # the input screen that took the last key
        self._asks = False
        self._unread = 0
        self.keys: list[str] = []

    def take(self, key: str) -> None:
        """One more key, as it is."""
        if self._asks:
            self._unread += 1
            return
        self._before = self._moved.session
        self.keys.append(key)
        self._go(move(self._menu, self._before, key))

    def settle(self) -> None:
        """What was taken is known: nothing read later belongs to it."""
        self._typing = None

    def read(self, piece: str) -> None:
        """One more piece: a key, or the rest of the words before it."""
        if self._typing is not None and not self._asks:
            words = f"{self.keys[-1]}{BETWEEN}{piece}"
            if self._goes_on(self._typing, words, piece):
                self.keys.pop()
                self._moved = Moved(self._typing)
                piece = words
        self.take(piece)

    def walk(self, record: Record) -> Walk:
        """Where it led."""
        return Walk(
            record.keyed(tuple(self.keys)),
            shown(self._menu, self._moved),
            self._before,
            self._unread,
        )

    def _goes_on(self, typing: Session, words: str, piece: str) -> bool:
        if _MISTYPED.fullmatch(piece):
            return False
        refused = move(self._menu, self._moved.session, piece).sentence is not None
        return refused and move(self._menu, typing, words).sentence is None

    def _go(self, moved: Moved) -> None:
        before, session = self._before, moved.session
        typed = isinstance(self._menu.screens[before.screen], Input)
        self._typing = before if typed and moved.sentence is None else None
        self._asks = asks(self._menu, session)
        while self._asks:
            found = next(self._found, None)
            if found is None:
                break
            self._typing = None
            moved = Moved(answered(self._menu, moved.session, found))
            self._asks = asks(self._menu, moved.session)
        self._moved = moved
