"""Knows the spellings of a Tanzanian MSISDN (TCRA plan; `phonenumbers` 9.0.39 or later)."""

import re
from typing import Final

import phonenumbers

from ussdapp.core.msisdn import Msisdn, NotAnMsisdn

_PLAIN: Final = re.compile(r"\+?(255[67][0-9]{8})")
_SHAPE: Final = re.compile(r"255[67][0-9]{8}")
# what people put between digits, and the direction marks that address books copy along
_SEPARATORS: Final = re.compile(r"[\s().\-\u2010-\u2015\u200e\u200f\u202a-\u202e]+")
# Tanzania's international prefix is 000, yet people write the world's 00; the library's metadata
# (00[056]) reads 00255 as the national number 255... and refuses it.
_WORLD_PREFIX: Final = re.compile(r"00(?=255)")
_MOST: Final = 40  # characters that one spelling can take


def read_msisdn(spelling: str) -> Msisdn:
    """The MSISDN in any spelling people and operators use; raises NotAnMsisdn, naming no digits."""
    if plain := _PLAIN.fullmatch(spelling):
        return Msisdn(plain[1])
    if len(spelling) > _MOST:
        raise NotAnMsisdn("too long for an MSISDN")
    return Msisdn(_international(_tidy(spelling)))


def _tidy(spelling: str) -> str:
    """ASCII digits with at most one leading plus. Form decoding makes a space of a bare plus."""
    bare = _SEPARATORS.sub("", spelling).removeprefix("+")
    if not bare.isdecimal():
        raise NotAnMsisdn("an MSISDN holds digits and nothing else")
    digits = phonenumbers.normalize_digits_only(bare)
    return _WORLD_PREFIX.sub("", digits, count=1) if digits.startswith("00255") else digits


def _international(digits: str) -> str:
    """255 and the rest. Our own shape is asked first and last, so that no new range is refused."""
    for candidate in (digits, digits.removeprefix("0")):
        if _SHAPE.fullmatch(candidate):
            return candidate
    try:
        number = phonenumbers.parse(digits, "TZ")
    except phonenumbers.NumberParseException:
        raise NotAnMsisdn("no MSISDN can be read from it") from None
    return f"{number.country_code}{number.national_number}"
