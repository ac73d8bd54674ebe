"""Knows what must be true of a menu before a citizen sees it. Each fault is one sentence that
names file, screen and language."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.asks import Shape
from ussdapp.core.menu import (
    RESERVED,
    Choice,
    End,
    Input,
    Item,
    Listing,
    Lookup,
    Menu,
    Option,
    Screen,
    Spoken,
)
from ussdapp.core.page import MOST_LABEL, room_for_items, way_back
from ussdapp.core.paths import Paths, gotos
from ussdapp.core.screen_text import LEAST, bare, width
from ussdapp.core.texts import LANGUAGES, gaps

_KEY: Final = re.compile(r"[0-9]{1,2}")


def faults(menu: Menu, asks: Mapping[str, Shape]) -> list[str]:
    """Every fault of the menu, in its own order; an empty list is the proof."""
    broken = list(_broken(menu, asks))
    # paths and widths are only worth asking about when every goto and ask exists
    return broken or [*_lost(menu, asks), *_strange(menu), *_untold(menu, asks)]


def where(name: str) -> str:
    """A screen's file and table, as its author knows them."""
    file, _, table = name.rpartition(".")
    return f"{file.replace('.', '/')}.toml [{table}]"


def _broken(menu: Menu, asks: Mapping[str, Shape]) -> Iterator[str]:
    if not isinstance(menu.screens.get(menu.first), Choice):
        yield f"main.toml [menu]: first is {menu.first!r}, which is no choice"
    for name, screen in menu.screens.items():
        for goto in gotos(screen):
            if goto not in menu.screens:
                yield f"{where(name)}: goto {goto!r} leads to no screen"
        yield from (f"{where(name)}: {fault}" for fault in _shape(menu, screen, asks))


def _shape(menu: Menu, screen: Screen, asks: Mapping[str, Shape]) -> Iterator[str]:
    match screen:
        case Choice():
            yield from _options(screen)
        case Input():
            yield from _typed(screen)
        case Listing() if screen.of not in menu.lists:
            yield f"there is no list {screen.of!r}"
        case Lookup() if screen.asks not in asks:
            yield f"nobody answers the ask {screen.asks!r}"
        case Lookup():
            yield from _outcomes(menu, screen, asks[screen.asks])


def _options(screen: Choice) -> Iterator[str]:
    keys = [option.key for option in screen.options]
    if not keys:
        yield "a choice needs an option"
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            yield f"two options have the key {key!r}"
        if key in RESERVED or not _KEY.fullmatch(key):
            yield f"the key {key!r} is not one or two digits, or is 0, 00 or 99"
    for option in screen.options:
        if bool(screen.saves) != bool(option.value):
            yield f"option {option.key!r}: a choice saves the value of each option, or of none"
        if option.language and option.language not in LANGUAGES:
            yield f"option {option.key!r}: {option.language!r} is no language"


def _typed(screen: Input) -> Iterator[str]:
    if not 1 <= screen.least <= screen.most <= 182:
        yield "an input takes 1 to 182 characters, and least is not above most"
    try:
        re.compile(screen.accepts)
    except re.error as trouble:
        yield f"accepts is no regular expression: {trouble}"


def _outcomes(menu: Menu, screen: Lookup, shape: Shape) -> Iterator[str]:
    for outcome in shape.outcomes:
        if outcome not in screen.goto:
            yield f"the outcome {outcome!r} of {screen.asks!r} leads nowhere"
    for outcome, goto in screen.goto.items():
        if outcome not in shape.outcomes:
            yield f"{screen.asks!r} has no outcome {outcome!r}"
        if isinstance(menu.screens.get(goto), Lookup):
            yield f"the outcome {outcome!r} leads to a screen that asks again"


def _lost(menu: Menu, asks: Mapping[str, Shape]) -> Iterator[str]:
    paths = Paths(menu, asks)
    for name, screen in menu.screens.items():
        if name not in paths.reached:
            yield f"{where(name)}: no path leads here"
        elif name not in paths.ending:
            yield f"{where(name)}: no path from here comes to an end"
        else:
            known = paths.known[name]
            yield from (f"{where(name)}: {fault}" for fault in _unsaid(menu, screen, known, asks))


def _unsaid(
    menu: Menu, screen: Screen, known: frozenset[str], asks: Mapping[str, Shape]
) -> Iterator[str]:
    if isinstance(screen, Lookup):
        for name in sorted(asks[screen.asks].needs):
            if name not in known:
                yield f"{screen.asks!r} needs {{{name}}}, which not every path here saves"
        yield from _misvalued(menu, asks[screen.asks])
    for says in _sentences(screen):
        for language, sentence in says.items():
            for name in sorted(gaps(sentence) - known - set(menu.values)):
                yield f"{language} shows {{{name}}}, which not every path here saves"
    if isinstance(screen, Listing) and any(
        map(gaps, (*screen.says.values(), *screen.nothing.values()))
    ):
        yield "a list shows no answers"


def _misvalued(menu: Menu, shape: Shape) -> Iterator[str]:
    for name, values in shape.needs.items():
        for screen in menu.savers.get(name, ()):
            if not values:
                continue
            given = (
                {option.value for option in screen.options} if isinstance(screen, Choice) else {"*"}
            )
            for value in sorted(given - values):
                yield f"{{{name}}} may be saved as {value!r}, which nobody understands"


def _sentences(screen: Screen) -> tuple[Spoken, ...]:
    match screen:
        case Choice() | End():
            return (screen.says,)
        case Input():
            return (screen.says, screen.wrong)
        case Listing():
            return (screen.says, screen.nothing)
        case Lookup():
            return ()


def _strange(menu: Menu) -> Iterator[str]:
    for place, says in _said(menu):
        for language, text in says.items():
            if strangers := gsm7.strangers(text):
                yield f"{place} {language}: no handset shows {' '.join(strangers)}"


def _said(menu: Menu) -> Iterator[tuple[str, Spoken]]:
    for name in type(menu.words).__slots__:
        yield f"main.toml [menu] {name}", getattr(menu.words, name)
    for name, screen in menu.screens.items():
        yield from ((where(name), says) for says in _sentences(screen))
        if isinstance(screen, Choice):
            yield from (
                (f"{where(name)} option {option.key}", option.says) for option in screen.options
            )
    for name, items in menu.lists.items():
        yield from ((f"list {name}: {item.key}", item.says) for item in items)
    yield from (("main.toml [menu.values]", {name: text}) for name, text in menu.values.items())


def _untold(menu: Menu, asks: Mapping[str, Shape]) -> Iterator[str]:
    if list(_strange(menu)):
        return  # what is not GSM-7 has no width in septets
    for name, screen in menu.screens.items():
        for language in LANGUAGES:
            excess = _widest(menu, name, screen, language, asks) - menu.budget
            if excess > 0:
                yield (
                    f"{where(name)} {language}: the widest page takes {menu.budget + excess} "
                    f"septets, {excess} more than {menu.budget}"
                )


def _widest(menu: Menu, name: str, screen: Screen, language: str, asks: Mapping[str, Shape]) -> int:
    told = [_told(menu, says[language], language, asks) for says in _sentences(screen)]
    match screen:
        case Lookup():
            return 0
        case End():
            return told[0]
        case Listing():
            widest_item = len("\n1 ") + MOST_LABEL
            return menu.budget + max(0, widest_item - room_for_items(menu, screen, language))
        case Choice():
            told = [told[0] + width(menu.words.wrong[language]) + 1]
            below = sum(width(_line(option, language)) for option in screen.options)
        case Input():
            below = 0
    back = 0 if name == menu.first else width(way_back(menu, language)) + 1
    return max(told) + below + back


def _line(option: Option, language: str) -> str:
    return f"\n{option.key} {option.says[language]}"


def _told(menu: Menu, sentence: str, language: str, asks: Mapping[str, Shape]) -> int:
    """A sentence with every gap at its widest; longer values are cut to LEAST when need be."""
    shown = (
        sentence.count(f"{{{name}}}") * _widest_value(menu, name, language, asks)
        for name in gaps(sentence)
    )
    return width(bare(sentence)) + sum(shown)


def _widest_value(menu: Menu, name: str, language: str, asks: Mapping[str, Shape]) -> int:
    widths = [width(menu.values[name])] if name in menu.values else []
    for screen in menu.savers.get(name, ()):
        match screen:
            case Choice():
                widths += [width(option.says[language]) for option in screen.options]
            case Input():
                widths.append(2 * screen.most)  # every character may be an escape
            case Listing():
                widths += [_key_width(item) for item in menu.items(screen)]
    for shape in asks.values():
        widths += [values[name] for values in shape.outcomes.values() if name in values]
    return min(max(widths, default=0), LEAST)


def _key_width(item: Item) -> int:
    return width(item.key.upper())
