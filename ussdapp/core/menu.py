"""Knows what a menu is: screens, the sentences around them, and the lists they choose from."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ussdapp.core.branches import owner_of
from ussdapp.core.inbound import Institution
from ussdapp.core.kinds import KINDS
from ussdapp.core.screen_text import readable
from ussdapp.core.screens import (
    Choice,
    End,
    External,
    Input,
    Listing,
    Lookup,
    Screen,
    Spoken,
    Text,
    institution_of,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One of a list: `key` in lower case, as citizens type it in any case; `under` is what a list
    may be filtered by. A `coded` one is known by its key, and shown with it in capitals."""

    key: str
    says: Spoken
    under: str = ""
    coded: bool = True
    found_by: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = " ".join((self.key, *self.says.values())).lower()
        object.__setattr__(self, "found_by", f" {names}")

    def begins(self, letters: str) -> bool:
        """Whether the key, or a word of a name in any language, begins like that."""
        return f" {letters.lower()}" in self.found_by

    def line(self, language: str) -> str:
        """How it is shown in its list, before it is cut."""
        name = self.says[language]
        return f"{self.key.upper()} {name}" if self.coded else name

    def called(self, language: str) -> str:
        """How it is shown once chosen."""
        return self.key.upper() if self.coded else self.says[language]


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences every screen shares."""

    back: Spoken
    home: Spoken
    more: Spoken
    yes: Spoken
    no: Spoken
    next: Spoken
    wrong: Spoken
    enough: Spoken
    resume: Spoken
    resume_yes: Spoken
    resume_no: Spoken
    unavailable: Spoken
    too_long: Spoken
    lost: Spoken


@dataclass(frozen=True, slots=True)
class Menu:
    """All screens. `budget` is in septets a screen; `values` may be shown on every screen, and
    branches may go to `returns`; `owners` are the institutions of branches not called after them.
    `typed` names what holds citizens' own words, `asking` the screens that may wait for an answer
    of ours, `final` those that may end the dialogue. What is the same for everybody is laid out
    once, and remembered in `drawn`."""

    first: str
    words: Words
    screens: Mapping[str, Screen]
    lists: Mapping[str, tuple[Item, ...]]
    values: Mapping[str, str]
    budget: int = 160
    returns: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    version: str = field(init=False, compare=False)
    savers: Mapping[str, tuple[Screen, ...]] = field(init=False, repr=False, compare=False)
    by_key: Mapping[str, Mapping[str, Item]] = field(init=False, repr=False, compare=False)
    typed: frozenset[str] = field(init=False, repr=False, compare=False)
    asking: frozenset[str] = field(init=False, repr=False, compare=False)
    final: frozenset[str] = field(init=False, repr=False, compare=False)
    drawn: dict[object, object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # repr() shows every field that decides what is shown, in the order it was read
        digest = hashlib.blake2b(repr(self._content()).encode(), digest_size=8)
        object.__setattr__(self, "version", digest.hexdigest())
        object.__setattr__(self, "savers", self._savers())
        by_key = {name: {item.key: item for item in items} for name, items in self.lists.items()}
        object.__setattr__(self, "by_key", by_key)
        object.__setattr__(self, "typed", self._typed())
        object.__setattr__(self, "asking", self._named(Lookup, External))
        object.__setattr__(self, "final", self._named(End, Text, External))
        object.__setattr__(self, "drawn", {})

    def called(self, name: str, value: str, language: str) -> str:
        """How a saved value is shown: an option by its label, an item as its list calls it, a
        named kind in its own way, words as they are."""
        for screen in self.savers.get(name, ()):
            if isinstance(screen, Listing) and (item := self.by_key[screen.of].get(value)):
                return item.called(language)
            if isinstance(screen, Choice) and (label := screen.label(value, language)):
                return label
            if isinstance(screen, Input) and screen.takes:
                kind = KINDS[screen.takes]
                return kind.shown(value) if kind.shape.fullmatch(value) else value
        return value

    def institution(self, screen: str) -> str | None:
        """The institution whose branch a screen is in, None for the gateway's own."""
        branch = institution_of(screen)
        return owner_of(branch, self.owners) if branch else None

    def _content(self) -> tuple[object, ...]:
        returns = tuple(sorted(self.returns))
        return (
            self.first, self.words, self.screens, self.lists, self.values, self.budget, returns,
        )  # fmt: skip

    def _named(self, *kinds: type[Screen]) -> frozenset[str]:
        return frozenset(name for name, screen in self.screens.items() if type(screen) in kinds)

    def _typed(self) -> frozenset[str]:
        """Names that hold a citizen's own words, and nothing else."""
        return frozenset(
            name
            for name, savers in self.savers.items()
            if all(isinstance(screen, Input) and not screen.takes for screen in savers)
        )

    def _savers(self) -> dict[str, tuple[Screen, ...]]:
        savers: dict[str, tuple[Screen, ...]] = {}
        for screen in self.screens.values():
            if isinstance(screen, Choice | Input | Listing) and screen.saves:
                savers[screen.saves] = (*savers.get(screen.saves, ()), screen)
        return savers


def items_of(institutions: Iterable[Institution]) -> tuple[Item, ...]:
    """Institutions as a list, by short name, each under its sector."""
    ordered = sorted(institutions, key=lambda institution: institution.short_name)
    return tuple(
        Item(
            institution.short_name.lower(),
            {"sw": readable(institution.name_sw), "en": readable(institution.name_en)},
            institution.sector.lower(),
        )
        for institution in ordered
    )
