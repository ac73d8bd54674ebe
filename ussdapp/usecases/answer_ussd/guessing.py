"""Guesses how a cumulative text was keyed, so that one exchange with Redis may prove it."""

from dataclasses import dataclass

from ussdapp.core.filing import day_of
from ussdapp.core.menu import Menu
from ussdapp.core.replay import Walk, extend, rest_after, split
from ussdapp.core.session import Record
from ussdapp.ports import Hints, Menus
from ussdapp.usecases.answer_ussd.call import Call
from ussdapp.usecases.answer_ussd.keeping import Keeping
from ussdapp.usecases.answer_ussd.walking import lacks


@dataclass(frozen=True, slots=True)
class Guess:
    """A walk of the whole text from how the dialogue may have begun. It is `blind` where this
    process knows nothing of the dialogue."""

    menu: Menu
    start: Record
    walk: Walk
    blind: bool


@dataclass(frozen=True, slots=True)
class Guessing:
    """Knows what recent dialogues began with; of others that most begin in Kiswahili, in the menu
    of now, on this day."""

    menus: Menus
    hints: Hints
    keeping: Keeping

    def guess(self, call: Call) -> Guess | None:
        """None where the text cannot be told without what is kept, or asks for something."""
        start = self.hints.get(call.key)
        blind = start is None
        if start is None:
            start = Record(self.menus.current().version, "sw", day=day_of(call.at))
        menu = self.menus.pinned(start.version) if start.version else None
        rest = rest_after(start, call.text)
        if menu is None or rest is None:
            return None
        walk = extend(menu, start, split(rest))
        told = walk.turn.ask is None and not lacks(menu, walk.turn)
        return Guess(menu, start, walk, blind) if told else None

    def proven(self, call: Call, guess: Guess) -> Record | None:
        """None where the guess is right, and kept now; otherwise what is kept. Raises LookupError
        where nothing is kept that could prove a blind guess, or one about a late copy."""
        walk, keeping = guess.walk, self.keeping
        change, towards = (walk.last, walk.record), (guess.menu, walk.turn)
        if not (guess.blind or call.late):
            return keeping.exchange(call, change, towards, walk.before)
        kept = keeping.follow(call, change, towards, walk.before)
        if kept is None:
            self.hints.put(call.key, guess.start)
        return kept
