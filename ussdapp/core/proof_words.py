"""Knows what must be true of a menu's sentences: characters, gaps, and pages that fit."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.asks import Shape
from ussdapp.core.kinds import KINDS
from ussdapp.core.listed import WIDEST_LINE, more_below, room_of
from ussdapp.core.menu import Menu
from ussdapp.core.page import frame_of, lines_of, way_back
from ussdapp.core.paths import brought
from ussdapp.core.screen_text import LEAST, bare, fill, gaps, likeness, width
from ussdapp.core.screens import (
    Choice,
    Confirm,
    End,
    External,
    Input,
    Listing,
    Lookup,
    Screen,
    Spoken,
    Text,
)
from ussdapp.core.texts import LANGUAGES

_BRACE: Final = re.compile(r"[{}]")


def where(name: str) -> str:
    """A screen's file and table, as its author knows them."""
    file, _, table = name.rpartition(".")
    return f"{file.replace('.', '/')}.toml [{table}]"


def sentences_of(screen: Screen) -> tuple[Spoken, ...]:
    """The sentences of a screen in which answers may be shown."""
    match screen:
        case Choice() | Confirm() | Text() | End():
            return (screen.says,)
        case Input():
            return (screen.says, screen.wrong)
        case Listing():
            return (screen.says, screen.nothing)
        case Lookup() | External():
            return ()


def strange(menu: Menu) -> Iterator[str]:
    """What no handset shows, and braces that are no gap."""
    for place, says in _said(menu):
        for language, text in says.items():
            if strangers := gsm7.strangers(text):
                yield f"{place} {language}: {'; '.join(map(_instead, strangers))}"
            if _BRACE.search(bare(text)):
                yield f"{place} {language}: a brace that is no {{name}}"


def _instead(stranger: str) -> str:
    seen = stranger if stranger.isprintable() else f"U+{ord(stranger):04X}"
    alike = likeness(stranger)
    advice = f"write {alike!r}" if alike else "leave it out"
    return f"no handset shows {seen}, {advice}"


def _said(menu: Menu) -> Iterator[tuple[str, Spoken]]:
    for name in type(menu.words).__slots__:
        yield f"main.toml [menu] {name}", getattr(menu.words, name)
    for name, screen in menu.screens.items():
        yield from ((where(name), says) for says in sentences_of(screen))
        yield from ((f"{where(name)} {part}", says) for part, says in _parts(screen))
    for name, items in menu.lists.items():
        yield from ((f"list {name}: {item.key}", item.says) for item in items)
    yield from (("main.toml [menu.values]", {name: text}) for name, text in menu.values.items())


def _parts(screen: Screen) -> Iterator[tuple[str, Spoken]]:
    match screen:
        case Choice():
            yield from ((f"option {option.key}", option.says) for option in screen.options)
        case Confirm():
            yield from (
                (part, says) for part, says in (("yes", screen.yes), ("no", screen.no)) if says
            )
        case Text() if screen.next:
            yield "next", screen.next
        case Lookup() if screen.title:
            yield "title", screen.title


def wide(menu: Menu, asks: Mapping[str, Shape]) -> Iterator[str]:
    """Pages that the widest values would make wider than the budget."""
    yield from _shared(menu)
    widths = _Widths(menu, asks)
    for name, screen in menu.screens.items():
        for language in LANGUAGES:
            excess = widths.widest(name, screen, language) - menu.budget
            if excess > 0:
                yield (
                    f"{where(name)} {language}: the widest page takes {menu.budget + excess} "
                    f"septets, {excess} more than {menu.budget}"
                )


def _shared(menu: Menu) -> Iterator[str]:
    words = menu.words
    for name in type(words).__slots__:
        for language, sentence in getattr(words, name).items():
            known = menu.values.keys() if name == "enough" else ()
            for gap in sorted(gaps(sentence) - frozenset(known)):
                yield f"main.toml [menu] {name} {language}: shows {{{gap}}}, which it cannot"
    for language in LANGUAGES:
        offer = (words.wrong, words.resume, words.resume_yes, words.resume_no)
        taken = sum(width(says[language]) + 1 for says in offer) + len("1 2 ")
        alone = {"resume": taken, "enough": width(_valued(words.enough[language], menu))}
        for name in ("unavailable", "too_long", "lost"):
            alone[name] = width(getattr(words, name)[language])
        for name, wide_as in alone.items():
            if wide_as > menu.budget:
                yield (
                    f"main.toml [menu] {name} {language}: it takes {wide_as} septets, "
                    f"{wide_as - menu.budget} more than {menu.budget}"
                )


def _valued(sentence: str, menu: Menu) -> str:
    return fill(sentence, {name: menu.values.get(name, "") for name in gaps(sentence)})


class _Widths:
    """The widths of screens at their widest values."""

    def __init__(self, menu: Menu, asks: Mapping[str, Shape]) -> None:
        self._menu = menu
        self._found: dict[str, int] = {}
        for screen in menu.screens.values():
            if isinstance(screen, Lookup):
                for outcome in screen.goto:
                    for name, wide_as in brought(screen, asks[screen.asks], outcome).items():
                        self._found[name] = max(wide_as, self._found.get(name, 0))
            elif isinstance(screen, External):
                self._found.update(dict.fromkeys(screen.brings, LEAST))

    def widest(self, name: str, screen: Screen, language: str) -> int:
        """Septets of the widest page; text that flows from page to page is never too wide."""
        menu = self._menu
        match screen:
            case Lookup() | External():
                return 0
            case Input():
                told = [self._told(says[language], language) for says in sentences_of(screen)]
                return max(told) + width(way_back(menu, language)) + 1
            case Listing():
                room = room_of(menu, screen, language) - width(more_below(menu, language))
                return menu.budget + max(0, WIDEST_LINE - room)
        frame = frame_of(menu, name, language)
        tails = (frame.tail(page, last=False) for page in (0, 1))
        lines = lines_of(menu, screen, language)
        line = max((width(line) + 1 for line in lines), default=0)
        return max(map(width, tails)) + line + frame.spare

    def _told(self, sentence: str, language: str) -> int:
        """A sentence with every gap at its widest; longer values are cut to LEAST when need be."""
        shown = (
            sentence.count(f"{{{name}}}") * self._value(name, language) for name in gaps(sentence)
        )
        return width(bare(sentence)) + sum(shown)

    def _value(self, name: str, language: str) -> int:
        menu = self._menu
        widths = [width(menu.values[name])] if name in menu.values else []
        widths.append(self._found.get(name, 0))
        for screen in menu.savers.get(name, ()):
            match screen:
                case Choice():
                    widths += [width(option.says[language]) for option in screen.options]
                case Input() if screen.takes:
                    widths.append(KINDS[screen.takes].widest)
                case Input():
                    widths.append(2 * screen.most)  # every character may be an escape
                case Listing():
                    widths += [width(item.called(language)) for item in menu.lists[screen.of]]
        return min(max(widths, default=0), LEAST)
