"""Knows how a text becomes parts: 160/153 septets or 70/67 UTF-16 units, nothing cut in two."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ussdapp.core import gsm7

MOST_PARTS: Final = 10


class Encoding(Enum):
    """The alphabet on the air; the value is what the API says."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_ALONE: Final = 160  # septets
# octets of short_message: alone, and beside the six octets of a concatenation header
# (3GPP TS 23.040, 9.2.3.24.1); GSM-7 travels unpacked, one septet an octet
_ROOM: Final = {Encoding.GSM7: (_ALONE, 153), Encoding.UCS2: (140, 134)}


class TooLong(ValueError):
    """The text would take more than MOST_PARTS parts."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A text as it is submitted: each part's octets without a header."""

    encoding: Encoding
    bodies: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.bodies)


@dataclass(frozen=True, slots=True)
class Stranger:
    """The first character that forces UCS-2, at `position` (from 0, in characters). `instead` is
    what may stand for it in GSM-7, None where nothing does; "" where it can be left out."""

    character: str
    position: int
    instead: str | None


def fits(text: str, parts: int) -> bool:
    """Whether the text takes no more than so many parts."""
    try:
        return len(split(text)) <= parts
    except TooLong:
        return False


def room(encoding: Encoding, parts: int) -> int:
    """What several parts hold together, two or more: septets of GSM-7, or UTF-16 units."""
    octets = parts * _ROOM[encoding][1]
    return octets if encoding is Encoding.GSM7 else octets // 2


def split(text: str) -> Parts:
    """Splits without parting an escape or a surrogate pair; raises TooLong."""
    encoding, whole = encoded(text)
    alone, beside_header = _ROOM[encoding]
    if len(whole) <= alone:
        return Parts(encoding, (whole,))
    cut = _septets_cut if encoding is Encoding.GSM7 else _units_cut
    bodies = tuple(_filled(whole, beside_header, cut))
    if len(bodies) > MOST_PARTS:
        raise TooLong(f"the text takes {len(bodies)} parts, at most {MOST_PARTS} are taken")
    return Parts(encoding, bodies)


def encoded(text: str) -> tuple[Encoding, bytes]:
    """The octets of the whole text, in the alphabet it needs."""
    try:
        return Encoding.GSM7, gsm7.encode(text)
    except KeyError:
        # a lone surrogate is no character: it is replaced, for the SMSC would refuse the octets
        return Encoding.UCS2, text.encode("utf-16-be", "replace")


def only_part(text: str) -> bytes | None:
    """The octets of a text that is one part of GSM-7; None for any other."""
    try:
        septets = gsm7.encode(text)
    except KeyError:
        return None
    return septets if len(septets) <= _ALONE else None


def forces_ucs2(text: str) -> Stranger | None:
    """Names the first character GSM-7 lacks; None where the text is GSM-7."""
    try:
        gsm7.encode(text)
    except KeyError as lacking:
        character: str = lacking.args[0]
        instead = gsm7.LOOK_ALIKES.get(character)
        return Stranger(character, text.index(character), instead)
    return None


def _filled(whole: bytes, room: int, cut: Callable[[bytes, int], int]) -> Iterator[bytes]:
    at = 0
    while len(whole) - at > room:
        end = cut(whole, at + room)
        yield whole[at:end]
        at = end
    yield whole[at:]


def _septets_cut(whole: bytes, end: int) -> int:
    return end - 1 if whole[end - 1] == gsm7.ESCAPE else end


def _units_cut(whole: bytes, end: int) -> int:
    """`end`, or the unit before it when the last one is the first half of a surrogate pair."""
    return end - 2 if 0xD8 <= whole[end - 2] <= 0xDB else end
