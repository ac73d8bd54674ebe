"""Walks keys through a menu and has every ask on the way answered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ussdapp.core.asks import RELAY, UNAVAILABLE
from ussdapp.core.menu import Menu
from ussdapp.core.replay import Walk, extend
from ussdapp.core.screens import Listing
from ussdapp.core.session import Record, Turn
from ussdapp.ports import Unavailable
from ussdapp.usecases.answer_ussd.asking import Asking, Trust
from ussdapp.usecases.answer_ussd.call import Call

MOST_ASKS: Final = 6  # asks that one callback may have answered


class TooMuch(Exception):
    """More is asked for on the way than one callback may."""


@dataclass(frozen=True, slots=True)
class Walking:
    """Knows whom to ask."""

    asking: Asking

    def through(
        self, call: Call, menu: Menu, base: Record, keys: Sequence[str], trust: Trust
    ) -> Walk:
        """The walk of those keys after that record. Raises TooMuch, Underway, Unavailable."""
        walk = extend(menu, base, keys)
        outcome = ""
        for _ in range(MOST_ASKS):
            if walk.turn.ask is None:
                # what did not come about may do so when the same key comes again
                call.passing = call.passing or (outcome == UNAVAILABLE and walk.turn.ends)
                if lacks(menu, walk.turn):
                    raise Unavailable("lists")
                return walk
            found = self.asking.found(call, menu, walk, trust)
            outcome = found.outcome
            if walk.turn.ask.name == RELAY and walk.unread:
                base, keys = _begun_there(walk.record, call.text), ()
            base = replace(base, found=(*base.found, found))
            walk = extend(menu, base, keys)
        if walk.turn.ask is not None:
            raise TooMuch
        return walk


def lacks(menu: Menu, turn: Turn) -> bool:
    """Whether a turn shows a list that has nothing at all in it: a process that never heard from
    PostgreSQL knows no institutions, and must not say that there are none."""
    screen = menu.screens[turn.session.screen]
    return isinstance(screen, Listing) and not menu.lists[screen.of] and not turn.ends


def _begun_there(record: Record, text: str) -> Record:
    """The record at the screen of an application that is begun anew: what was keyed to it before
    means nothing from here on."""
    return replace(record, past=(*record.past, *record.keys), keys=(), prefix=text)
