"""Knows what a session's screen shows: sentence, numbered lines, the way back, page by page."""

from collections.abc import Iterable, Sequence
from typing import cast

from ussdapp.core.layout import Frame, Page, frame_for, lay
from ussdapp.core.listed import listed, matching
from ussdapp.core.menu import Menu
from ussdapp.core.screen_text import fill, fit, gaps, readable, told, width
from ussdapp.core.screens import (
    BACK,
    HOME,
    MORE,
    NEXT,
    NO,
    YES,
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
from ussdapp.core.session import Session

__all__ = ["lines_of", "matching", "page_count", "render", "way_back"]
Paged = Choice | Confirm | Text | End


def render(menu: Menu, session: Session, sentence: Spoken | None = None) -> str:
    """The text of a session's screen, within the menu's budget. A sentence stands above a page,
    and in the place of what an input or a list asks."""
    screen = menu.screens[session.screen]
    match screen:
        case Lookup():
            return ""
        case Listing():
            return _list_page(menu, screen, session, sentence)
        case Input():
            return _prompt(menu, screen, session, sentence)
    pages = _pages(menu, screen, session)
    page = pages[min(session.page, len(pages) - 1)]
    if sentence is None:
        return page.text
    frame = _frame(menu, screen, session)
    return page.warning(sentence[session.language], frame_for(page.text, frame))


def page_count(menu: Menu, session: Session) -> int:
    """How many pages a session's screen has."""
    screen = menu.screens[session.screen]
    match screen:
        case Lookup() | Input():
            return 1
        case Listing():
            return len(listed(menu, screen, session))
    return len(_pages(menu, screen, session))


def way_back(menu: Menu, language: str) -> str:
    """The line that every screen but the first and the last ends with."""
    return f"{BACK} {menu.words.back[language]}  {HOME} {menu.words.home[language]}"


def lines_of(menu: Menu, screen: Screen, language: str) -> tuple[str, ...]:
    """The numbered lines of a screen that has the same for everybody."""
    words = menu.words
    match screen:
        case Choice():
            return tuple(f"{option.key} {option.says[language]}" for option in screen.options)
        case Confirm():
            yes, no = screen.yes or words.yes, screen.no or words.no
            return (f"{YES} {yes[language]}", f"{NO} {no[language]}")
        case Text() if screen.goto:
            return (f"{NEXT} {(screen.next or words.next)[language]}",)
        case _:
            return ()


def frame_of(menu: Menu, name: str, language: str) -> Frame:
    """What stands below the pages of that screen."""
    screen = menu.screens[name]
    back = way_back(menu, language)
    ends = isinstance(screen, End) or (isinstance(screen, Text) and not screen.goto)
    later = f"{BACK} {menu.words.back[language]}" if isinstance(screen, End) else back
    return Frame(
        budget=menu.budget,
        more=f"{MORE} {menu.words.more[language]}",
        first="" if isinstance(screen, End) or name == menu.first else back,
        later=later,
        ends=ends,
        spare=width(menu.words.wrong[language]),
    )


def _frame(menu: Menu, screen: Screen, session: Session) -> Frame:
    if isinstance(screen, External):
        return _told_frame(menu, session)
    key = ("frame", session.screen, session.language)
    if key not in menu.drawn:
        menu.drawn[key] = frame_of(menu, session.screen, session.language)
    return cast("Frame", menu.drawn[key])


def _pages(menu: Menu, screen: Paged | External, session: Session) -> tuple[Page, ...]:
    if isinstance(screen, External):
        text, *options = session.told[:1] if session.heard_out else session.told or ("",)
        return _told_pages(text, options, _told_frame(menu, session))
    says = screen.says[session.language]
    if names := gaps(says):
        return _filled_pages(menu, screen, session, says, names)
    key = (session.screen, session.language)
    if key not in menu.drawn:
        lines = lines_of(menu, screen, session.language)
        menu.drawn[key] = lay(says, lines, _frame(menu, screen, session))
    return cast("tuple[Page, ...]", menu.drawn[key])


def _told_pages(text: str, lines: Sequence[str], frame: Frame) -> tuple[Page, ...]:
    """What an application says; options too wide for a page flow as text does."""
    whole = "\n".join((text, *lines))
    measured = frame_for(whole, frame)
    return lay(text, lines, measured) if measured.takes(lines) else lay(whole, (), measured)


def _told_frame(menu: Menu, session: Session) -> Frame:
    language = session.language
    home = f"{HOME} {menu.words.home[language]}"
    offered = any(line.startswith(f"{HOME} ") for line in session.told[1:])
    return Frame(
        budget=menu.budget,
        more=f"{MORE} {menu.words.more[language]}",
        first="" if offered else home,
        later=f"{BACK} {menu.words.back[language]}" if offered else way_back(menu, language),
        ends=session.heard_out,
    )


def _filled_pages(
    menu: Menu, screen: Paged, session: Session, says: str, names: Iterable[str]
) -> tuple[Page, ...]:
    frame = _frame(menu, screen, session)
    lines = lines_of(menu, screen, session.language)
    values = {name: value_of(menu, session, name) for name in names}
    text = fill(says, values)
    measured = frame_for(text, frame)
    if not measured.takes(lines):
        text, measured = readable(text), frame  # in UCS-2 there is no room for its options
    pages = lay(text, lines, measured)
    if len(pages) == 1 or not isinstance(screen, Choice | Confirm):
        return pages
    # words that citizens typed themselves are cut, where that saves them a page; nothing else is
    below = "".join(f"\n{line}" for line in lines) + frame.tail(0, last=True)
    if measured is not frame:
        return pages
    shorter = fit(says, values, frame.budget - width(below), values.keys() - menu.typed)
    fewer = lay(shorter, lines, frame)
    return fewer if len(fewer) == 1 else pages


def value_of(menu: Menu, session: Session, name: str) -> str:
    """How a saved or found value is shown, `""` when an institution did not send it."""
    if name not in session.answers:
        return menu.values.get(name, "")
    value = menu.called(name, session.answers[name], session.language)
    return readable(value) if name in menu.savers else told(value)


def _prompt(menu: Menu, screen: Input, session: Session, sentence: Spoken | None) -> str:
    says = (sentence or screen.says)[session.language]
    below = f"\n{way_back(menu, session.language)}"
    if names := gaps(says):
        room = menu.budget - width(below)
        values = {name: readable(value_of(menu, session, name)) for name in names}
        says = fit(says, values, room)
    return says + below


def _list_page(menu: Menu, screen: Listing, session: Session, sentence: Spoken | None) -> str:
    pages = listed(menu, screen, session)
    here = pages[min(session.page, len(pages) - 1)]
    above = screen.says if here.items else screen.nothing
    says = (sentence or above)[session.language]
    return says + here.below
