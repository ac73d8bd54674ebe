"""Knows which names a citizen would take for one another on a handset.

The pairs are those of Unicode Technical Standard 39 that GSM handsets can show, beside letters of
other alphabets (core.folded).
"""

import re
from typing import Final

from ussdapp.core.folded import folded

EDITS_FROM: Final = 5  # characters: below, TRA, TRC and TBS are three institutions
_SEPARATORS: Final = re.compile(r"[^0-9a-z]+", re.IGNORECASE | re.ASCII)
_LOOKS: Final = str.maketrans({"I": "1", "l": "1", "O": "0", "o": "0"})


def disguised(name: str) -> str:
    """The characters that only seem to be Latin; "" where there are none."""
    return "".join(char for char in name if not char.isascii() and folded(char).isascii())


def forms(name: str) -> frozenset[str]:
    """The ways it is read, without its case, spaces and signs; names that share one are taken for
    one another. 1, l and I are told apart as they are written, for TBL and TBI are two names."""
    bare = _SEPARATORS.sub("", folded(name))
    return frozenset((bare.casefold(), _looks(bare), _looks(bare.upper())))


def alike(one: str, other: str) -> bool:
    """Whether a citizen would take one for the other: read alike, or, from five characters on, one
    edit apart."""
    if forms(one) & forms(other):
        return True
    left, right = (_SEPARATORS.sub("", folded(name)).casefold() for name in (one, other))
    long = min(len(left), len(right)) >= EDITS_FROM
    return long and not (left + right).isdigit() and _one_edit(left, right)


def _looks(bare: str) -> str:
    shown = bare.replace("rn", "m").translate(_LOOKS)
    return shown.casefold().replace("vv", "w")


def _one_edit(left: str, right: str) -> bool:
    """Whether one character more, fewer or other, or two that changed places, makes them equal."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    a, b = left[start:], right[start:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]
