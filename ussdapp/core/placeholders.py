"""Knows placeholders: `((jina))` in a text stands for what a recipient's field `jina` holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\(\(([^()\n]{1,60})\)\)")
# A value that touches these, or another value, makes one word with them.
_GLUED: Final = re.compile(r"[\w./:@\\-]\(\(|\)\)(?:[\w:@/\\(-]|\.\S)")
_IGNORED: Final = str.maketrans(dict.fromkeys(" \t\u00a0_-\ufeff"))


def folded(name: str) -> str:
    """A name without case, spaces, `_` and `-`: the same for every spelling of it."""
    return name.translate(_IGNORED).casefold()


def partly(text: str, values: Mapping[str, str]) -> str:
    """The text with the placeholders of those names filled, and the others as they are."""
    given = {folded(name): value.strip() for name, value in values.items()}
    return _PLACEHOLDER.sub(lambda found: given.get(folded(found[1])) or found[0], text)


@dataclass(frozen=True, slots=True)
class Worded:
    """A text with placeholders: `names` as first spelt, each once; `pattern` with `%s` for each
    place and `order` the number of the name that stands there; `glued` where a value makes one
    word with what is beside it."""

    names: tuple[str, ...]
    pattern: str
    order: tuple[int, ...]
    glued: bool = False

    @property
    def least(self) -> str:
        """The text with the shortest values there can be."""
        return self.filled(["-"] * len(self.names))

    def aligned(self, names: Sequence[str]) -> "Worded":
        """The same for values in the order of those names, which are its own however spelt."""
        places = {folded(name): number for number, name in enumerate(names)}
        order = tuple(places[folded(self.names[number])] for number in self.order)
        return replace(self, names=tuple(names), order=order)

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
