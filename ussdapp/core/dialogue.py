"""Knows what a key causes: menu, session and what was keyed give a turn. Nothing here waits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ussdapp.core.asks import AGAIN, ENDS, RELAY, SHOWS
from ussdapp.core.listed import matching, picked
from ussdapp.core.menu import Menu
from ussdapp.core.page import page_count, render
from ussdapp.core.patterns import accepted
from ussdapp.core.screen_text import cut, fill
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
from ussdapp.core.session import MOST_WRONG, OVER, SAID, Ask, Found, Place, Session, Turn

MOST_KEYED: Final = 182  # characters of one step: what a USSD string can carry (3GPP TS 23.038)


@dataclass(frozen=True, slots=True, repr=False)
class Moved:
    """Where a key leads, and the sentence it earns when the screen does not take it."""

    session: Session
    sentence: Spoken | None = None


def begin(menu: Menu, language: str, day: str = "") -> Turn:
    """The first screen."""
    return shown(menu, Moved(first(menu, language, day)))


def step(menu: Menu, session: Session, keyed: str) -> Turn:
    """What one key causes; a key the screen does not take shows it again with a sentence."""
    return shown(menu, move(menu, session, keyed))


def resume(menu: Menu, session: Session, found: Found) -> Turn:
    """What a session that asked shows, now that it was answered."""
    return shown(menu, Moved(answered(menu, session, found)))


def first(menu: Menu, language: str, day: str = "") -> Session:
    """A session on the first screen, with nothing answered and nothing behind it."""
    return Session(menu.first, language, day=day)


def home(menu: Menu, session: Session) -> Session:
    """The session on the first screen again; only what it had done is remembered."""
    return Session(
        menu.first,
        session.language,
        day=session.day,
        effects=session.effects,
        private=session.private,
    )


def asks(menu: Menu, session: Session) -> bool:
    """Whether the session waits for an answer that no citizen can give."""
    if session.screen not in menu.asking:
        return False
    if isinstance(menu.screens[session.screen], Lookup):
        return not session.heard_out
    return not session.told or session.hands is not None


def shown(menu: Menu, moved: Moved) -> Turn:
    """The turn of a session: its text, or its ask."""
    session, screen = moved.session, menu.screens[moved.session.screen]
    step = f"{session.screen}@{menu.version}"
    if session.over:
        text = fill(menu.words.enough[session.language], menu.values)
        return Turn(session, text, ends=True, step=step)
    if isinstance(screen, Lookup):
        if session.heard_out:
            return Turn(session, cut(session.told[0], menu.budget), ends=True, step=step)
        return Turn(session, ask=Ask(screen.asks, session.screen, session.answers))
    if isinstance(screen, External) and asks(menu, session):
        return Turn(session, ask=Ask(RELAY, session.screen, session.answers, session.hands))
    text = render(menu, session, moved.sentence)
    return Turn(session, text, _ends(menu, session, screen), step=step)


def ended(menu: Menu, session: Session) -> bool:
    """Whether the dialogue is over there."""
    return session.over or _ends(menu, session, menu.screens[session.screen])


def answered(menu: Menu, session: Session, found: Found) -> Session:
    """Where a session that asked stands after that outcome."""
    screen = menu.screens[session.screen]
    if found.outcome == AGAIN or not isinstance(screen, Lookup | External):
        return session.back()
    if isinstance(screen, Lookup) and found.outcome == SAID:
        return replace(session, told=(found.values.get("text", ""), OVER))
    if isinstance(screen, External) and found.outcome in (SHOWS, ENDS):
        return _told(session, found)
    return _onward(menu, session, screen, found)


def _told(session: Session, found: Found) -> Session:
    """The session with what an application says in front of it, on its first page."""
    lines = tuple(filter(None, found.values.get("options", "").split("\n")))
    told = (found.values.get("text", ""), *((OVER,) if found.outcome == ENDS else lines))
    trail = _without(session.trail, session.screen)
    return replace(session, told=told, hands=None, page=0, trail=trail, wrong=0)


def _without(trail: tuple[Place, ...], screen: str) -> tuple[Place, ...]:
    """The way back without the places of that screen that end it."""
    while trail and trail[-1].screen == screen:
        trail = trail[:-1]
    return trail


def _onward(menu: Menu, session: Session, screen: Lookup | External, found: Found) -> Session:
    goto = screen.goto[found.outcome]
    effect = isinstance(screen, Lookup) and screen.effect
    effects = session.effects + effect
    if goto == menu.first:
        return replace(home(menu, session), effects=effects)
    # a screen that asks is never gone back to, and one that asks for another try stands once;
    # past what was done nothing leads back
    trail = () if effect else _without(_without(session.trail, session.screen), goto)
    return Session(
        screen=goto,
        language=session.language,
        answers={**session.answers, **found.values},
        trail=trail,
        day=session.day,
        effects=effects,
        private=session.private,
    )


def _ends(menu: Menu, session: Session, screen: Screen) -> bool:
    if session.screen not in menu.final:
        return isinstance(screen, Lookup) and session.heard_out
    last = isinstance(screen, End)
    last = last or (isinstance(screen, Text) and not screen.goto)
    last = last or (isinstance(screen, External) and session.heard_out)
    return last and _on_last(menu, session)


def move(menu: Menu, session: Session, keyed: str) -> Moved:
    """Where a key leads; on a screen that ended or asks, nowhere."""
    screen = menu.screens[session.screen]
    key = keyed[:MOST_KEYED].strip()
    if session.wrong >= MOST_WRONG or _ends(menu, session, screen) or isinstance(screen, Lookup):
        return Moved(session)
    if key in _TURNING and (turned := _turned(menu, session, screen, key)) is not None:
        return turned
    match screen:
        case Choice():
            return _chosen(menu, session, screen, key)
        case Input():
            return _put(menu, session, screen, key)
        case Listing():
            return _picked(menu, session, screen, key)
        case Confirm():
            return _confirmed(menu, session, screen, key)
        case Text() if screen.goto and key == NEXT and _on_last(menu, session):
            return Moved(_gone(menu, session, screen.goto))
        case External():
            return Moved(session if asks(menu, session) else replace(session, hands=key))
    return _refused(menu, session)


_TURNING: Final = frozenset({BACK, HOME, MORE})


def _turned(menu: Menu, session: Session, screen: Screen, key: str) -> Moved | None:
    """What `0`, `00` and `99` cause, None where the screen takes them for itself."""
    if key == MORE:
        kept = isinstance(screen, Input) or _on_last(menu, session)
        return None if kept else Moved(session.facing(_next_page(session)))
    if key == BACK and session.page:
        return Moved(session.back())
    if isinstance(screen, External):
        return None if key == BACK or _offers_home(session) else Moved(home(menu, session))
    if isinstance(screen, End) or (session.screen == menu.first and not session.page):
        return None
    if key == HOME or not session.trail:
        return Moved(home(menu, session))
    return Moved(session.back())


def _offers_home(session: Session) -> bool:
    return any(line.startswith(f"{HOME} ") for line in session.told[1:])


def _next_page(session: Session) -> Place:
    return Place(session.screen, session.page + 1, session.letters)


def _refused(menu: Menu, session: Session, sentence: Spoken | None = None) -> Moved:
    return Moved(session.refused(), sentence or menu.words.wrong)


def _on_last(menu: Menu, session: Session) -> bool:
    return session.page >= page_count(menu, session) - 1


def _chosen(menu: Menu, session: Session, screen: Choice, key: str) -> Moved:
    option = screen.by_key.get(key)
    if option is None:
        return _refused(menu, session)
    if option.language or option.private:
        session = replace(
            session,
            language=option.language or session.language,
            private=session.private or option.private,
        )
    answers = {screen.saves: option.value} if screen.saves else {}
    return Moved(_gone(menu, session, option.goto, answers))


def _confirmed(menu: Menu, session: Session, screen: Confirm, key: str) -> Moved:
    if key == NO:
        return Moved(_gone(menu, session, screen.cancel))
    # what is confirmed was shown to its end
    if key == YES and _on_last(menu, session):
        return Moved(_gone(menu, session, screen.goto))
    return _refused(menu, session)


def _put(menu: Menu, session: Session, screen: Input, key: str) -> Moved:
    value = accepted(screen, key, session.day)
    if value is None:
        return _refused(menu, session, screen.wrong)
    return Moved(_gone(menu, session, screen.goto, {screen.saves: value}))


def _gone(
    menu: Menu, session: Session, screen: str, answers: Mapping[str, str] | None = None
) -> Session:
    if screen == menu.first:
        return home(menu, session)
    return session.at(screen, answers or {})


def _picked(menu: Menu, session: Session, screen: Listing, key: str) -> Moved:
    item = picked(menu, screen, session, key)
    if item is not None:
        return Moved(_gone(menu, session, screen.goto, {screen.saves: item.key}))
    if not key or key.isdecimal():
        return _refused(menu, session)
    if not matching(menu, screen, session, key):
        return _refused(menu, session, screen.nothing)
    return Moved(session.facing(Place(session.screen, 0, key)))
