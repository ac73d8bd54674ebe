"""Knows what must be true of each screen by itself: keys, kinds, lists, asks, offices."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from ussdapp.core.asks import RELAYED, Shape
from ussdapp.core.kinds import KINDS, examples
from ussdapp.core.menu import Item, Menu
from ussdapp.core.patterns import pattern_fault
from ussdapp.core.proof_words import where
from ussdapp.core.screens import (
    RESERVED,
    Choice,
    External,
    Input,
    Listing,
    Lookup,
    Option,
    Screen,
    institution_of,
)
from ussdapp.core.texts import LANGUAGES

_KEY: Final = re.compile(r"[0-9]{1,2}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
MOST_OPTIONS: Final = 40  # options of one choice


def shape_faults(
    menu: Menu, asks: Mapping[str, Shape], offices: Collection[str] | None
) -> Iterator[str]:
    """Every fault of a screen that needs no other screen to be seen."""
    for name, screen in menu.screens.items():
        for fault in _shape(menu, screen, asks):
            yield f"{where(name)}: {fault}"
        if isinstance(screen, Lookup | External) and screen.of:
            yield from (f"{where(name)}: {fault}" for fault in _office(name, screen.of, offices))
    for name, items in menu.lists.items():
        yield from (f"list {name}: {fault}" for fault in _items(items))


def _shape(menu: Menu, screen: Screen, asks: Mapping[str, Shape]) -> Iterator[str]:
    match screen:
        case Choice():
            yield from _named((screen.saves,))
            yield from _options(screen)
        case Input():
            yield from _named((screen.saves,))
            yield from _typed(screen)
        case Listing():
            yield from _named((screen.saves, screen.where))
            if screen.of not in menu.lists:
                yield f"there is no list {screen.of!r}"
        case Lookup() if screen.asks not in asks:
            yield f"nobody answers the ask {screen.asks!r}"
        case Lookup():
            yield from _named(screen.brings)
            yield from _asked(screen, asks[screen.asks])
        case External():
            yield from _named(screen.brings)
            yield from _outcomes("the application", screen.goto, RELAYED)


def _named(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name and not _NAME.fullmatch(name):
            yield f"{name!r} is no name: a-z, 0-9 and _ only, a letter first"


def _options(screen: Choice) -> Iterator[str]:
    keys = [option.key for option in screen.options]
    if not keys:
        yield "a choice needs an option"
    if len(keys) > MOST_OPTIONS:
        yield f"a choice has at most {MOST_OPTIONS} options: use a list"
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            yield f"two options have the key {key!r}"
        if key in RESERVED or not _KEY.fullmatch(key):
            yield f"the key {key!r} is not one or two digits, or is 0, 00 or 99"
    for option in screen.options:
        yield from _option(screen, option)
    values = [option.value for option in screen.options if option.value]
    for value in dict.fromkeys(values):
        if values.count(value) > 1:
            yield f"two options save the value {value!r}"


def _option(screen: Choice, option: Option) -> Iterator[str]:
    if bool(screen.saves) != bool(option.value):
        yield f"option {option.key!r}: a choice saves the value of each option, or of none"
    if option.language and option.language not in LANGUAGES:
        yield f"option {option.key!r}: {option.language!r} is no language"
    if any("{" in label or "}" in label or "\n" in label for label in option.says.values()):
        yield f"option {option.key!r}: an option is one line and shows no answers"


def _typed(screen: Input) -> Iterator[str]:
    if not 1 <= screen.least <= screen.most <= 182:
        yield "an input takes 1 to 182 characters, and least is not above most"
    if screen.past and screen.takes != "date":
        yield "past is only for takes = 'date'"
    if screen.future and (screen.takes != "date" or screen.past):
        yield "future is only for takes = 'date', and without past"
    if screen.takes and screen.takes not in KINDS:
        yield f"takes {screen.takes!r} is not one of {', '.join(KINDS)}"
    elif screen.takes:
        for language, sentence in screen.wrong.items():
            if next(examples(screen.takes, sentence), None) is None:
                yield f"{language}: wrong gives no example of a {screen.takes}"
    if screen.accepts and (fault := pattern_fault(screen.accepts)):
        yield fault


def _asked(screen: Lookup, shape: Shape) -> Iterator[str]:
    yield from _outcomes(repr(screen.asks), screen.goto, shape.outcomes)
    if not shape.office:
        if screen.of or screen.sends or screen.brings or screen.title:
            yield f"of, sends, brings and title are not for {screen.asks!r}"
        return
    if not screen.of or not screen.title:
        yield f"{screen.asks!r} needs {'title' if screen.of else 'of'}"
    if not screen.sends or (not shape.effect and len(screen.sends) > 1):
        yield f"{screen.asks!r} needs sends: {'names' if shape.effect else 'one name'}"
    if screen.brings and shape.effect:
        yield f"brings is not for {screen.asks!r}"


def _outcomes(asked: str, goto: Mapping[str, str], outcomes: Collection[str]) -> Iterator[str]:
    for outcome in sorted(outcomes):
        if outcome not in goto:
            yield f"the outcome {outcome!r} of {asked} leads nowhere"
    for outcome in goto:
        if outcome not in outcomes:
            yield f"{asked} has no outcome {outcome!r}"


def _office(screen: str, office: str, offices: Collection[str] | None) -> Iterator[str]:
    institution = institution_of(screen)
    if institution is not None and not office.startswith(f"{institution}."):
        yield f"the office {office!r} is not one of {institution}"
    if offices is not None and office not in offices:
        yield f"there is no office {office!r}"


def _items(items: tuple[Item, ...]) -> Iterator[str]:
    keys = [item.key for item in items]
    for key in sorted({key for key in keys if keys.count(key) > 1} if len(keys) < 50 else ()):
        yield f"two items have the key {key!r}"
    if any(item.key.isdecimal() for item in items):
        yield "an item's key is no number, for the numbers on a page choose as well"
