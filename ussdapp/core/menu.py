"""Knows what a menu is: screens, the sentences around them, and the lists they choose from."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ussdapp.core.inbound import Institution
from ussdapp.core.screen_text import readable

BACK: Final = "0"
HOME: Final = "00"
MORE: Final = "99"
RESERVED: Final = frozenset({BACK, HOME, MORE})

Spoken = Mapping[str, str]  # one sentence by language


@dataclass(frozen=True, slots=True)
class Option:
    """One numbered line; `value` is what its screen saves, `language` what the dialogue takes."""

    key: str
    says: Spoken
    goto: str
    value: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Asks for one of its options."""

    says: Spoken
    options: tuple[Option, ...]
    saves: str = ""

    def option(self, key: str) -> Option | None:
        """The option of that key."""
        return next((option for option in self.options if option.key == key), None)

    def label(self, value: str, language: str) -> str | None:
        """How the option that saves this value is called."""
        for option in self.options:
            if option.value == value:
                return option.says[language]
        return None


@dataclass(frozen=True, slots=True)
class Input:
    """Asks for words or digits; lengths are in characters, `accepts` is a regular expression."""

    says: Spoken
    wrong: Spoken
    saves: str
    goto: str
    accepts: str = ""
    least: int = 1
    most: int = 182


@dataclass(frozen=True, slots=True)
class Listing:
    """Asks for an item of a list, by number on a page, by key, or by the beginning of a name."""

    says: Spoken
    nothing: Spoken
    of: str
    saves: str
    goto: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """Shows nothing: it asks, and goes where the outcome says."""

    asks: str
    goto: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """Says its text and ends the dialogue."""

    says: Spoken


Screen = Choice | Input | Listing | Lookup | End


@dataclass(frozen=True, slots=True)
class Item:
    """One of a list: `key` in lower case, as citizens type it in any case."""

    key: str
    says: Spoken
    found_by: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = " ".join((self.key, *self.says.values())).lower()
        object.__setattr__(self, "found_by", f" {names}")

    def begins(self, letters: str) -> bool:
        """Whether the key, or a word of a name in any language, begins like that."""
        return f" {letters.lower()}" in self.found_by


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences every screen shares."""

    back: Spoken
    home: Spoken
    more: Spoken
    wrong: Spoken
    unavailable: Spoken
    too_long: Spoken
    lost: Spoken


@dataclass(frozen=True, slots=True)
class Menu:
    """All screens. `budget` is in septets a screen; `values` may be shown on every screen."""

    first: str
    words: Words
    screens: Mapping[str, Screen]
    lists: Mapping[str, tuple[Item, ...]]
    values: Mapping[str, str]
    budget: int = 160
    version: str = field(init=False, compare=False)
    savers: Mapping[str, tuple[Screen, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # repr() shows every field that decides what is shown, in the order it was read
        digest = hashlib.blake2b(repr(self._content()).encode(), digest_size=8)
        object.__setattr__(self, "version", digest.hexdigest())
        object.__setattr__(self, "savers", self._savers())

    def items(self, screen: Listing) -> tuple[Item, ...]:
        """What that screen lets choose from."""
        return self.lists[screen.of]

    def called(self, name: str, value: str, language: str) -> str:
        """How a saved value is shown: an option by its label, an item by its key in capitals."""
        for screen in self.savers.get(name, ()):
            if isinstance(screen, Listing):
                return value.upper()
            if isinstance(screen, Choice) and (label := screen.label(value, language)):
                return label
        return value

    def _content(self) -> tuple[object, ...]:
        return (self.first, self.words, self.screens, self.lists, self.values, self.budget)

    def _savers(self) -> dict[str, tuple[Screen, ...]]:
        savers: dict[str, tuple[Screen, ...]] = {}
        for screen in self.screens.values():
            if not isinstance(screen, Lookup | End) and screen.saves:
                savers[screen.saves] = (*savers.get(screen.saves, ()), screen)
        return savers


def items_of(institutions: Iterable[Institution]) -> tuple[Item, ...]:
    """Institutions as a list, by short name."""
    ordered = sorted(institutions, key=lambda institution: institution.short_name)
    return tuple(
        Item(
            institution.short_name.lower(),
            {"sw": readable(institution.name_sw), "en": readable(institution.name_en)},
        )
        for institution in ordered
    )
