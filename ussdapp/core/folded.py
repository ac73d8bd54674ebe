"""Knows what a text looks like to its reader: letters that only look Latin become Latin ones."""

import re
import unicodedata
from typing import Final

# Letters that a handset shows as Latin ones (Unicode Technical Standard 39, confusables: those of
# Cyrillic, Greek and the Latin extensions that spell the words and hosts we look for).
_ALIKE: Final = str.maketrans(
    "абвгдеԁһіјкԛгорсѕтуѵхуԝԌАВЕЅІЈКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβειηκνορτυχωıɡɑօոսցӏ",
    "a6brdedhijkqropcstuvxywGABESIJKMHOPCTYXABEZHIKMNOPTYXabeinkvoptuxwigaonugl",
)
_DOTS: Final = str.maketrans(dict.fromkeys("。．｡․・", "."))
_LETTER: Final = re.compile(r"[^\W\d_]")


def folded(text: str) -> str:
    """The text in Latin letters, its case kept, without what nobody sees; ASCII stays as it is."""
    if text.isascii():
        return text
    # accents fall off first: what is left of an accented letter may look Latin
    bare = unicodedata.normalize("NFKD", text.translate(_DOTS)).translate(_ALIKE).translate(_DOTS)
    return "".join(char for char in bare if unicodedata.category(char) not in ("Mn", "Cf"))


def foreign(text: str) -> bool:
    """Whether it has letters beyond ASCII, or characters that nobody sees."""
    return not text.isascii() and any(
        unicodedata.category(char) in ("Cf", "Mn") or _LETTER.match(char)
        for char in text
        if not char.isascii()
    )


def words(listed: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(listed.split())
