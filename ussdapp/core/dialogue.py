"""Knows what a key causes: menu, session and what was keyed give a turn. Nothing here waits."""

from dataclasses import dataclass, replace
from typing import Final

from ussdapp.core.menu import (
    BACK,
    HOME,
    MORE,
    Choice,
    End,
    Input,
    Item,
    Listing,
    Lookup,
    Menu,
    Option,
    Spoken,
)
from ussdapp.core.page import matching, page, render
from ussdapp.core.patterns import takes
from ussdapp.core.session import Ask, Found, Place, Session, Turn

MOST_KEYED: Final = 182  # characters of one step: what a USSD string can carry (3GPP TS 23.038)
AGAIN: Final = "again"  # the outcome of an ask that was not made: its screen asks for a key again


@dataclass(frozen=True, slots=True, repr=False)
class Moved:
    """Where a key leads, and the sentence it earns when the screen does not take it."""

    session: Session
    sentence: Spoken | None = None


def begin(menu: Menu, language: str) -> Turn:
    """The first screen."""
    return shown(menu, Moved(home(menu, language)))


def step(menu: Menu, session: Session, keyed: str) -> Turn:
    """What one key causes; a key the screen does not take shows it again with a sentence."""
    return shown(menu, move(menu, session, keyed))


def resume(menu: Menu, session: Session, found: Found) -> Turn:
    """What a session that asked shows, now that it was answered."""
    return shown(menu, Moved(answered(menu, session, found)))


def home(menu: Menu, language: str) -> Session:
    """A session on the first screen, with nothing answered and nothing behind it."""
    return Session(menu.first, language)


def shown(menu: Menu, moved: Moved) -> Turn:
    """The turn of a session: its text, or its ask."""
    session, screen = moved.session, menu.screens[moved.session.screen]
    if isinstance(screen, Lookup):
        return Turn(session, ask=Ask(screen.asks, session.screen, session.answers))
    return Turn(session, render(menu, session, moved.sentence), isinstance(screen, End))


def answered(menu: Menu, session: Session, found: Found) -> Session:
    """Where a session that asked stands after that outcome."""
    screen = menu.screens[session.screen]
    if found.outcome == AGAIN or not isinstance(screen, Lookup):
        return session.back()
    goto = screen.goto[found.outcome]
    if goto == menu.first:
        return home(menu, session.language)
    answers = {**session.answers, **found.values}
    # a screen that asks is never gone back to, and one that asks for another try stands once
    trail = session.trail[:-1] if session.trail[-1].screen == goto else session.trail
    return replace(session, screen=goto, answers=answers, trail=trail)


def move(menu: Menu, session: Session, keyed: str) -> Moved:
    """Where a key leads; on a screen that ended or asks, nowhere."""
    screen = menu.screens[session.screen]
    key = keyed[:MOST_KEYED].strip()
    if isinstance(screen, End | Lookup):
        return Moved(session)
    if session.screen != menu.first and key in (BACK, HOME):
        return Moved(session.back() if key == BACK else home(menu, session.language))
    match screen:
        case Choice():
            return _chosen(menu, session, screen, key)
        case Input():
            return _put(menu, session, screen, key)
        case Listing():
            return _picked(menu, session, screen, key)


def _chosen(menu: Menu, session: Session, screen: Choice, key: str) -> Moved:
    option = screen.option(key)
    if option is None:
        return Moved(session, menu.words.wrong)
    answers = {screen.saves: option.value} if screen.saves else {}
    return Moved(_gone(menu, _spoken(session, option), option.goto, answers))


def _spoken(session: Session, option: Option) -> Session:
    return replace(session, language=option.language) if option.language else session


def _put(menu: Menu, session: Session, screen: Input, key: str) -> Moved:
    if not takes(screen, key):
        return Moved(session, screen.wrong)
    return Moved(_gone(menu, session, screen.goto, {screen.saves: key}))


def _gone(menu: Menu, session: Session, screen: str, answers: dict[str, str]) -> Session:
    if screen == menu.first:
        return home(menu, session.language)
    return session.at(screen, answers)


def _picked(menu: Menu, session: Session, screen: Listing, key: str) -> Moved:
    if key == MORE:
        return _next_page(menu, session, screen)
    item = _item(menu, session, screen, key)
    if item is not None:
        return Moved(_gone(menu, session, screen.goto, {screen.saves: item.key}))
    if not key or key.isdecimal():
        return Moved(session, menu.words.wrong)
    if next(matching(menu, screen, key), None) is None:
        return Moved(session, screen.nothing)
    return Moved(session.facing(Place(session.screen, 0, key)))


def _item(menu: Menu, session: Session, screen: Listing, key: str) -> Item | None:
    for item in menu.items(screen):
        if item.key == key.lower():
            return item
    if not (key.isascii() and key.isdigit()):
        return None
    here = page(menu, screen, session).items
    return here[int(key) - 1] if 0 < int(key) <= len(here) else None


def _next_page(menu: Menu, session: Session, screen: Listing) -> Moved:
    if not page(menu, screen, session).more:
        return Moved(session, menu.words.wrong)
    return Moved(session.facing(Place(session.screen, session.page + 1, session.letters)))
