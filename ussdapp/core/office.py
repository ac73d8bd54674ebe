"""Knows what a dialogue is told of an institution's answer, and what is asked again later."""

from collections.abc import Mapping
from typing import Final

from ussdapp.core.asks import BACK, DETAILS, ENDS, HAND_IN, SHOWS
from ussdapp.core.back_office import Asker, HandedIn, LookedUp, Mode, Question, Relayed, Said
from ussdapp.core.menu import Menu
from ussdapp.core.page import value_of
from ussdapp.core.screen_text import fill, gaps, told
from ussdapp.core.screens import End, External, Lookup, Text
from ussdapp.core.session import Found, Session

MOST_SAID: Final = 2000  # characters of one answer that are shown


def sent(screen: Lookup, answers: Mapping[str, str]) -> dict[str, str]:
    """What an office is told."""
    return {name: answers.get(name, "") for name in screen.sends}


def found_looked_up(screen: Lookup, answer: LookedUp) -> Found:
    """What a dialogue is told of a look-up: the details its menu names, and no others."""
    if not answer.success:
        return Found("missing")
    names = screen.brings or dict(zip(DETAILS, DETAILS, strict=True))
    details = answer.details
    return Found("found", {ours: _said(details.get(theirs, "")) for ours, theirs in names.items()})


def found_handed_in(answer: HandedIn) -> Found:
    """What a dialogue is told of a summary."""
    return Found("taken" if answer.status else "refused", {"jibu": _said(answer.sms_text)})


def found_relayed(screen: External, answer: Relayed, sorry: str) -> Found:
    """What a dialogue is told by an application, after an apology if there is one to make."""
    if answer.kind is Said.HANDS_BACK:
        return Found(BACK, {name: _said(answer.data.get(name, "")) for name in screen.brings})
    text = _said("\n".join(filter(None, (sorry, answer.text))))
    if answer.kind is Said.ENDS and not answer.options:
        return Found(ENDS, {"text": text})
    options = (f"{key} {' '.join(_said(label).split())}" for key, label in answer.options.items())
    lines = "\n".join(options)
    if answer.kind is Said.ENDS:
        return Found(ENDS, {"text": f"{text}\n{lines}"})
    return Found(SHOWS, {"text": text, "options": lines})


def question(menu: Menu, session: Session, asker: Asker) -> Question:
    """What a session asks, to be asked again and answered by SMS."""
    screen = menu.screens[session.screen]
    assert isinstance(screen, Lookup)
    given = sent(screen, session.answers)
    if screen.asks == HAND_IN:
        mode, asked = Mode.SUMMARY, given
    else:
        mode, asked = Mode.LOOKUP, {"data": next(iter(given.values()), "")}
    return Question(
        office=screen.of,
        mode=mode,
        asked=asked,
        asker=asker,
        title=(screen.title or {}).get(session.language, screen.of),
        institution=menu.institution(session.screen),
        sentences=_sentences(menu, session, screen) if mode is Mode.LOOKUP else {},
        names={theirs: ours for ours, theirs in screen.brings.items()},
    )


def _sentences(menu: Menu, session: Session, screen: Lookup) -> dict[str, str]:
    """The sentences behind the outcomes, filled in but for what the office will send."""
    coming = frozenset(screen.brings or DETAILS)
    sentences: dict[str, str] = {}
    for outcome in ("found", "missing"):
        behind = menu.screens[screen.goto[outcome]]
        if isinstance(behind, End | Text):
            says = behind.says[session.language]
            sentences[outcome] = fill(says, _known(menu, session, gaps(says), coming))
    return sentences


def _known(
    menu: Menu, session: Session, names: frozenset[str], coming: frozenset[str]
) -> dict[str, str]:
    known = {name: f"{{{name}}}" for name in names & coming}
    for name in names - coming:
        # a brace that a citizen typed would be read as a gap later
        known[name] = value_of(menu, session, name).replace("{", "(").replace("}", ")")
    return known


def _said(text: str) -> str:
    return told(text[:MOST_SAID])
