"""Knows when a dropped dialogue is offered again, and what the citizen's answer makes of it."""

from dataclasses import replace
from enum import Enum

from ussdapp.core.dialogue import asks, ended
from ussdapp.core.funnel import OFFER
from ussdapp.core.menu import Menu
from ussdapp.core.replay import BETWEEN, replay
from ussdapp.core.screens import NO, YES, External
from ussdapp.core.session import MOST_WRONG, Record, Turn


class Draft(Enum):
    """What becomes of the draft that a citizen may be offered when dialling again."""

    TAKEN = "taken"  # it is now this dialogue as it stands
    CLEARED = "cleared"  # there is none
    LEFT = "left"  # it stays as it is


def draft_for(menu: Menu, turn: Turn) -> Draft:
    """What a turn makes of the draft. What an application showed is not kept, where it began is;
    after an answer that is to stay private nothing is."""
    session = turn.session
    if turn.ends or session.private or (session.screen == menu.first and not session.page):
        return Draft.CLEARED
    return Draft.LEFT if isinstance(menu.screens[session.screen], External) else Draft.TAKEN


def offer(menu: Menu, draft: Record) -> Record | None:
    """The record that offers to go on from a draft, None for one that leads nowhere now."""
    past = (*draft.past, *draft.keys)
    offered = replace(draft, keys=(), past=past, prefix=None, offered=True, sorry=False, marks=())
    session = replay(menu, offered).session
    return None if asks(menu, session) or ended(menu, session) or session.private else offered


def offering(menu: Menu, record: Record) -> Turn:
    """The screen of an offer; its session stands where the dialogue would go on."""
    session = replay(menu, replace(record, offered=False)).session
    language, words = session.language, menu.words
    wrong = [] if record.prefix is None else [words.wrong[language]]
    lines = (
        words.resume[language],
        f"{YES} {words.resume_yes[language]}",
        f"{NO} {words.resume_no[language]}",
    )
    return Turn(session, "\n".join((*wrong, *lines)), step=f"{OFFER}@{menu.version}")


def first_again(record: Record) -> Record:
    """The record as it was when its dialogue was dialled."""
    if record.offered or record.resumed:
        return replace(record, keys=(), prefix=None, offered=True)
    return replace(record, keys=(), found=(), past=(), prefix=None, sorry=False)


def decided(menu: Menu, newest: Menu, record: Record, key: str) -> Record:
    """What an answer to the offer leads to: on from there, a new beginning in the newest menu, or
    the offer once more."""
    prefix = key if record.prefix is None else f"{record.prefix}{BETWEEN}{key}"
    taken, tries = key.strip(), prefix.count(BETWEEN) + 1
    if taken == YES:
        return replace(record, offered=False, prefix=prefix)
    if taken == NO or tries >= MOST_WRONG:
        language = replay(menu, replace(record, offered=False)).session.language
        return Record(newest.version, language, day=record.day, prefix=prefix)
    return replace(record, prefix=prefix)
