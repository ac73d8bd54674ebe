"""Knows how a screen is laid out: sentence, numbered lines, the way back; lists in pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ussdapp.core.menu import BACK, HOME, MORE, Choice, End, Item, Listing, Lookup, Menu, Spoken
from ussdapp.core.screen_text import cut, fit, width
from ussdapp.core.session import Session
from ussdapp.core.texts import gaps

MOST_LABEL: Final = 30  # septets of one list item: key and name, cut
MOST_ITEMS: Final = 9  # a page's numbers have one digit


@dataclass(frozen=True, slots=True)
class Page:
    """The items one page of a list shows, and whether another page follows."""

    items: tuple[Item, ...]
    more: bool


def render(menu: Menu, session: Session, sentence: Spoken | None = None) -> str:
    """The text of a session's screen, within the menu's budget. The sentence stands before a
    choice, and in the place of what an input or a list asks."""
    screen = menu.screens[session.screen]
    language = session.language
    if isinstance(screen, Lookup):
        return ""
    lines = lines_below(menu, session)
    says = screen.says[language]
    if sentence is not None:
        says = f"{sentence[language]}\n{says}" if isinstance(screen, Choice) else sentence[language]
    room = menu.budget - sum(width(line) + 1 for line in lines)
    values = {name: _value(menu, session, name) for name in gaps(says)}
    return "\n".join((fit(says, values, room), *lines))


def lines_below(menu: Menu, session: Session) -> list[str]:
    """The numbered lines of a screen and its way back."""
    screen = menu.screens[session.screen]
    lines: list[str] = []
    match screen:
        case Choice():
            lines += [f"{option.key} {option.says[session.language]}" for option in screen.options]
        case Listing():
            lines += _listed(menu, screen, session)
    if session.screen != menu.first and not isinstance(screen, End):
        lines.append(way_back(menu, session.language))
    return lines


def way_back(menu: Menu, language: str) -> str:
    """The line that every screen but the first and the last ends with."""
    return f"{BACK} {menu.words.back[language]}  {HOME} {menu.words.home[language]}"


def page(menu: Menu, screen: Listing, session: Session) -> Page:
    """What the session's page of that list shows; a page past the end is empty."""
    rest = matching(menu, screen, session.letters)
    room = room_for_items(menu, screen, session.language)
    waiting = next(rest, None)
    for _ in range(session.page):
        _, waiting = _filled(rest, waiting, room, session.language)
    items, waiting = _filled(rest, waiting, room, session.language)
    return Page(items, waiting is not None)


def matching(menu: Menu, screen: Listing, letters: str) -> Iterator[Item]:
    """The items those letters begin; all of them without letters."""
    return (item for item in menu.items(screen) if not letters or item.begins(letters))


def label(item: Item, language: str) -> str:
    """How an item is shown on its page, after its number."""
    return cut(f"{item.key.upper()} {item.says[language]}", MOST_LABEL)


def room_for_items(menu: Menu, screen: Listing, language: str) -> int:
    """Septets a page has for items, each with its number and line break."""
    above = max(width(says[language]) for says in (screen.says, screen.nothing, menu.words.wrong))
    more = f"\n{MORE} {menu.words.more[language]}\n{way_back(menu, language)}"
    return menu.budget - above - width(more)


def _filled(
    rest: Iterator[Item], waiting: Item | None, room: int, language: str
) -> tuple[tuple[Item, ...], Item | None]:
    """One page's items, and the first that found no room."""
    items: list[Item] = []
    while waiting is not None and len(items) < MOST_ITEMS:
        room -= len("\n1 ") + width(label(waiting, language))
        if room < 0:
            break
        items.append(waiting)
        waiting = next(rest, None)
    return tuple(items), waiting


def _listed(menu: Menu, screen: Listing, session: Session) -> list[str]:
    here = page(menu, screen, session)
    lines = [
        f"{number} {label(item, session.language)}" for number, item in enumerate(here.items, 1)
    ]
    return [*lines, f"{MORE} {menu.words.more[session.language]}"] if here.more else lines


def _value(menu: Menu, session: Session, name: str) -> str:
    if name not in session.answers:
        return menu.values[name]
    return menu.called(name, session.answers[name], session.language)
