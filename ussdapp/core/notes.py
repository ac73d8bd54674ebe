"""Knows what a sender should know of a text that is taken all the same: what it costs and why."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.parts import Stranger, forces_ucs2, split

UCS2: Final = "ucs2"
PAST: Final = "past"
_STANDS_FOR_IT: Final = "?"  # in GSM-7, what has no look-alike there


@dataclass(frozen=True, slots=True)
class Note:
    """A code that stays, and a sentence."""

    code: str
    sentence: str


def of(text: str) -> tuple[Note, ...]:
    """The character that makes the text UCS-2, what that costs and what may stand for it. Raises
    TooLong."""
    first = forces_ucs2(text)
    if first is None:
        return ()
    strangers = gsm7.strangers(text)
    told = f"{_named(first)} makes the text UCS-2: {_cost(text, strangers)} {_instead(first)}"
    if len(strangers) > 1:
        more = len(strangers) - 1
        told += f" So do {more} other characters." if more > 1 else " So does 1 other character."
    return (Note(UCS2, told),)


def of_time(send_at: datetime | None, accepted_at: datetime) -> tuple[Note, ...]:
    """That what was to be sent before it was accepted is sent as if no time were given."""
    if send_at is None or send_at >= accepted_at:
        return ()
    return (Note(PAST, "It was past when it came: it is sent as if no time were given."),)


def _named(stranger: Stranger) -> str:
    char = stranger.character
    name = unicodedata.name(char, "").lower()
    spelt = f" ({name})" if name else ""
    shown = f'"{char}" ' if char.isprintable() and not char.isspace() else ""
    return f"{shown}U+{ord(char):04X}{spelt} at character {stranger.position + 1}"


def _cost(text: str, strangers: tuple[str, ...]) -> str:
    """In parts, with them and without."""
    plain = gsm7.plain(text)
    for char in strangers:
        plain = plain.replace(char, _STANDS_FOR_IT)
    parts, without = len(split(text)), len(split(plain))
    counted = f"{parts} part{'s' if parts > 1 else ''}"
    return f"{counted}, as without it." if parts == without else f"{counted} in place of {without}."


def _instead(stranger: Stranger) -> str:
    if stranger.instead is None:
        return "Leave it out, or write it otherwise."
    if not stranger.instead.strip():
        return "Write a space instead." if stranger.instead else "Leave it out."
    return f"Write {stranger.instead} instead."
