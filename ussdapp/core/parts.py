"""Knows how a text becomes parts: 160/153 septets or 70/67 UTF-16 units, nothing cut in two."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ussdapp.core import gsm7

MOST_PARTS: Final = 10


class Encoding(Enum):
    """The alphabet on the air; the value is what the API says."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


# octets of short_message: alone, and beside the six octets of a concatenation header
# (3GPP TS 23.040, 9.2.3.24.1); GSM-7 travels unpacked, one septet an octet
_ROOM: Final = {Encoding.GSM7: (160, 153), Encoding.UCS2: (140, 134)}


class TooLong(ValueError):
    """The text would take more than MOST_PARTS parts."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A text as it is submitted: each part's octets without a header."""

    encoding: Encoding
    bodies: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.bodies)


def fits(text: str, parts: int) -> bool:
    """Whether the text takes no more than so many parts."""
    try:
        return len(split(text)) <= parts
    except TooLong:
        return False


def split(text: str) -> Parts:
    """Splits without parting an escape or a surrogate pair; raises TooLong."""
    encoding, characters = _characters(text)
    alone, beside_header = _ROOM[encoding]
    whole = b"".join(characters)
    bodies = (whole,) if len(whole) <= alone else tuple(_filled(characters, beside_header))
    if len(bodies) > MOST_PARTS:
        raise TooLong(f"the text takes {len(bodies)} parts, at most {MOST_PARTS} are taken")
    return Parts(encoding, bodies)


def _characters(text: str) -> tuple[Encoding, list[bytes]]:
    try:
        return Encoding.GSM7, [gsm7.encode(char) for char in text]
    except KeyError:
        return Encoding.UCS2, [_utf16(char) for char in text]


def _utf16(char: str) -> bytes:
    # a lone surrogate is no character: it is replaced, for the SMSC would refuse the octets
    return char.encode("utf-16-be", "replace")


def _filled(characters: Iterable[bytes], room: int) -> Iterator[bytes]:
    body = b""
    for character in characters:
        if len(body) + len(character) > room:
            yield body
            body = b""
        body += character
    yield body
