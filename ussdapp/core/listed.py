"""Knows how a list is shown: its items in pages, numbered anew on each, found by letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from ussdapp.core.menu import Item, Menu
from ussdapp.core.screen_text import cut, width
from ussdapp.core.screens import BACK, HOME, MORE, Listing
from ussdapp.core.session import Session

MOST_LABEL: Final = 30  # septets of one item, cut
MOST_ITEMS: Final = 9  # a page's numbers have one digit
WIDEST_LINE: Final = len("\n1 ") + MOST_LABEL


@dataclass(frozen=True, slots=True)
class ListPage:
    """The items one page shows, and all that stands below what the list asks."""

    items: tuple[Item, ...]
    below: str


def listed(menu: Menu, screen: Listing, session: Session) -> tuple[ListPage, ...]:
    """The pages of a list as it is narrowed now, at least one."""
    under = session.answers.get(screen.where, "") if screen.where else ""
    if session.letters:
        items = matching(menu, screen, session, session.letters)
        return _pages(menu, screen, session.language, items)
    key = (session.screen, session.language, under)
    if key not in menu.drawn:
        items = matching(menu, screen, session, "")
        menu.drawn[key] = _pages(menu, screen, session.language, items)
    return cast("tuple[ListPage, ...]", menu.drawn[key])


def matching(menu: Menu, screen: Listing, session: Session, letters: str) -> tuple[Item, ...]:
    """The items that may be chosen and that those letters begin; all of them without letters."""
    items = menu.lists[screen.of]
    if screen.where:
        under = session.answers.get(screen.where, "")
        items = tuple(item for item in items if item.under == under)
    if letters:
        items = tuple(item for item in items if item.begins(letters))
    return items


def picked(menu: Menu, screen: Listing, session: Session, key: str) -> Item | None:
    """The item of that key, or of that number on the page in front of the citizen."""
    item = menu.by_key[screen.of].get(key.lower())
    if item is not None:
        under = session.answers.get(screen.where, "") if screen.where else item.under
        return item if item.under == under else None
    if not (key.isascii() and key.isdigit()):
        return None
    pages = listed(menu, screen, session)
    here = pages[min(session.page, len(pages) - 1)].items
    return here[int(key) - 1] if 0 < int(key) <= len(here) else None


def room_of(menu: Menu, screen: Listing, language: str) -> int:
    """Septets a page has for items and for what is below them."""
    sentences = (screen.says, screen.nothing, menu.words.wrong)
    return menu.budget - max(width(says[language]) for says in sentences)


def more_below(menu: Menu, language: str) -> str:
    """What stands below every page but the last."""
    return f"\n{MORE} {menu.words.more[language]}{_back(menu, language)}"


def _back(menu: Menu, language: str) -> str:
    return f"\n{BACK} {menu.words.back[language]}  {HOME} {menu.words.home[language]}"


def _pages(
    menu: Menu, screen: Listing, language: str, items: Sequence[Item]
) -> tuple[ListPage, ...]:
    room, back, more = (
        room_of(menu, screen, language),
        _back(menu, language),
        more_below(menu, language),
    )
    labels = [cut(item.line(language), MOST_LABEL) for item in items]
    widths = [len("\n1 ") + width(label) for label in labels]
    pages: list[ListPage] = []
    start = 0
    while True:
        end = start + _fitting(widths[start:], room - width(back))
        if end < len(items):
            end = start + max(_fitting(widths[start:], room - width(more)), 1)
        shown = [f"\n{number} {label}" for number, label in enumerate(labels[start:end], 1)]
        below = "".join(shown) + (more if end < len(items) else back)
        pages.append(ListPage(tuple(items[start:end]), below))
        start = end
        if start >= len(items):
            return tuple(pages)


def _fitting(widths: Sequence[int], room: int) -> int:
    count = 0
    for wide in widths[:MOST_ITEMS]:
        room -= wide
        if room < 0:
            break
        count += 1
    return count
