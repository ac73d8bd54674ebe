"""Knows placeholders: `((jina))` in a text stands for what a recipient's field `jina` holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\(\(([^()\n]{1,60})\)\)")
# A value that touches these, or another value, makes one word with them.
_GLUED: Final = re.compile(r"[\w./:@\\-]\(\(|\)\)(?:[\w:@/\\(-]|\.\S)")
_IGNORED: Final = str.maketrans(dict.fromkeys(" \t\u00a0_-\ufeff"))


def folded(name: str) -> str:
    """A name without case, spaces, `_` and `-`: the same for every spelling of it."""
    return name.translate(_IGNORED).casefold()


@dataclass(frozen=True, slots=True)
class Worded:
    """A text with placeholders: `names` as first spelt, each once; `pattern` with `%s` for each
    place and `order` the number of the name that stands there; `glued` where a value makes one
    word with what is beside it."""

    names: tuple[str, ...]
    pattern: str
    order: tuple[int, ...]
    glued: bool = False

    def filled(self, values: Sequence[str]) -> str:
        """The text with a value for each of the names, in their order."""
        return self.pattern % tuple([values[number] for number in self.order])


def worded(text: str) -> Worded:
    """The text, read."""
    pieces = _PLACEHOLDER.split(text)  # what stands between, and the names, in turn
    spelt: dict[str, str] = {}
    for name in pieces[1::2]:
        spelt.setdefault(folded(name), name.strip())
    places = {name: number for number, name in enumerate(spelt)}
    order = tuple(places[folded(name)] for name in pieces[1::2])
    pattern = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
    return Worded(tuple(spelt.values()), pattern, order, _GLUED.search(text) is not None)
