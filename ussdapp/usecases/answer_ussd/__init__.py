"""A key of a dialogue is answered with a screen; what it asks for is done once.

Most aggregators send all that was keyed so far, joined with `*` ("9*2*1"), and do not escape a
`*` that a citizen types. So a text is never trusted to split into keys: `core.replay` guesses,
and one exchange with Redis proves the guess by comparing the record before its last key with the
one kept. Where the two differ the kept record decides: what the text adds to it is the new key,
whole. Only when nothing is kept does the guess stand, by the rules `core.replay` states.

An effect (a case filed, answers handed in) is never had from a guess. It needs the kept record one
key before it, or, when Redis lost it, a beginning in PostgreSQL; without either its screen is shown
once more. An application of an institution is never told a key from a guess either: it begins anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.asks import AGAIN
from ussdapp.core.dialogue import Moved, first, shown
from ussdapp.core.filing import day_of, session_key
from ussdapp.core.inbound import Keyed
from ussdapp.core.letters import Letters
from ussdapp.core.marked import Marked, Told, marked, told
from ussdapp.core.menu import Menu
from ussdapp.core.reference import Reference
from ussdapp.core.replay import Walk, news, replay, rest_after, split
from ussdapp.core.resume import first_again, offering
from ussdapp.core.screen_text import cleaned
from ussdapp.core.screens import Spoken
from ussdapp.core.session import Record, Shown, Turn
from ussdapp.ports import (
    BackOffices,
    Cases,
    Dialogues,
    Doorbells,
    Hints,
    Menus,
    Offers,
    OptOuts,
    Questions,
    Sessions,
    Unavailable,
)
from ussdapp.usecases.answer_ussd.asking import Asking, Underway
from ussdapp.usecases.answer_ussd.beginning import Beginning
from ussdapp.usecases.answer_ussd.call import Call
from ussdapp.usecases.answer_ussd.guessing import Guessing
from ussdapp.usecases.answer_ussd.keeping import Keeping, Steps
from ussdapp.usecases.answer_ussd.missed import Reached
from ussdapp.usecases.answer_ussd.resuming import Offering
from ussdapp.usecases.answer_ussd.walking import TooMuch, Walking

log = structlog.get_logger()

MOST_TEXT: Final = 2048  # octets of UTF-8 that one dialogue may key
WAITS: Final = 24  # times that a rival's answer is waited for
WAIT_S: Final = 0.25
TRIES: Final = 3  # of one callback against others of its dialogue


@dataclass(frozen=True, slots=True)
class AnswerUssd:
    """Answers every callback with a screen and raises nothing that a port promises: Redis may be
    down or wiped, and without PostgreSQL a screen says that the service is not available. Without
    `offers` no dialogue is resumed, without `offices` no institution is asked, without `steps`, the
    same store as `sessions`, nothing is counted, without `opt_outs` no notices are stopped, and
    without `pause`, which waits for so many seconds, a rival's answer is not waited for."""

    sessions: Sessions
    dialogues: Dialogues
    cases: Cases
    menus: Menus
    letters: Letters
    doorbells: Doorbells
    new_reference: Callable[[], Reference]
    hints: Hints
    offers: Offers | None = None
    pause: Callable[[float], None] | None = None
    offices: BackOffices | None = None
    questions: Questions | None = None
    steps: Steps | None = None
    opt_outs: OptOuts | None = None
    reached: Reached = field(default_factory=Reached)
    _beginning: Beginning = field(init=False, repr=False)
    _guessing: Guessing = field(init=False, repr=False)
    _keeping: Keeping = field(init=False, repr=False)
    _offering: Offering = field(init=False, repr=False)
    _walking: Walking = field(init=False, repr=False)

    def __post_init__(self) -> None:
        asking = Asking(
            self.dialogues,
            self.cases,
            self.letters,
            self.doorbells,
            self.new_reference,
            self.offices,
            self.questions,
            self.sessions,
            self.opt_outs,
        )
        keeping = Keeping(self.sessions, self.steps)
        object.__setattr__(self, "_beginning", Beginning(self.dialogues))
        object.__setattr__(self, "_guessing", Guessing(self.menus, self.hints, keeping))
        object.__setattr__(self, "_keeping", keeping)
        object.__setattr__(self, "_offering", Offering(self.offers, self.menus, keeping))
        object.__setattr__(self, "_walking", Walking(asking))

    def __call__(self, keyed: Keyed, now: datetime) -> Shown:
        """The screen that the handset is given; the same callback again gives the same one."""
        call = Call(keyed, session_key(keyed), cleaned(keyed.text), now)
        length = len(call.text)
        call.late = keyed.cumulative and self.reached.beyond(call.key, length, now)
        turn = self._turn(call)
        self.reached.note(call.key, length, now)
        return Shown(turn.text, turn.ends, turn.step)

    def _turn(self, call: Call) -> Turn:
        newest = self.menus.current()
        try:
            if len(call.text) <= MOST_TEXT and len(call.text.encode()) <= MOST_TEXT:
                return self._answered(call)
            return self._closing(call, newest.words.too_long)
        except TooMuch:
            return self._closing(call, newest.words.too_long)
        except Unavailable as trouble:
            log.warning("ussd.unavailable", channel=call.keyed.channel, store=str(trouble))
            return self._closing(call, newest.words.unavailable)

    def _answered(self, call: Call) -> Turn:
        """The turn of a callback, after a rival that tells an application the same key."""
        for _ in range(WAITS):
            try:
                return self._cumulative(call) if call.keyed.cumulative else self._single(call)
            except Underway:
                if self.pause is None:
                    break
                self.pause(WAIT_S)
        raise Unavailable("sessions")

    def _closing(self, call: Call, says: Spoken) -> Turn:
        hint = self.hints.get(call.key)
        language = hint.language if hint else "sw"
        return Turn(first(self.menus.current(), language), says[language], ends=True)

    # -- aggregators that send all that was keyed

    def _cumulative(self, call: Call) -> Turn:
        missed = self._keeping.caught_up(call)
        if missed is not None:
            return self._against(call, missed)
        if not call.text:
            return self._first(call)
        guess = self._guessing.guess(call)
        if guess is None:
            kept = self._keeping.kept(call)
            return self._against(call, kept) if kept else self._lost(call)
        try:
            kept = self._guessing.proven(call, guess)
        except LookupError:
            return self._lost(call)
        return self._against(call, kept) if kept else self._taken(call, guess.walk)

    def _first(self, call: Call) -> Turn:
        """The first screen or the offer to go on, also for a late repeat of the first callback."""
        newest = self.menus.current()
        language = self._beginning.recorded(call)
        record = Record(newest.version, language or "sw", day=day_of(call.at))
        record = marked(record, call.keyed, call.at.timestamp())
        if call.late:
            kept, draft = self._keeping.kept(call), None
        else:
            kept, draft = self._keeping.begun(call, record, newest.first)
        if language is None and not call.keeps:
            raise Unavailable("sessions")  # nobody would know of the dialogue
        if kept is None and draft is not None:
            kept = self._offering.offered(call, draft, record)
        record = first_again(kept) if kept else record
        self.hints.put(call.key, record)
        menu = self.menus.pinned(record.version) or newest
        return offering(menu, record) if record.offered else replay(menu, record)

    def _lost(self, call: Call) -> Turn:
        """Nothing is kept: the whole text is walked. An effect needs a recorded beginning. A late
        copy is answered and no more, so that it does not set back what went on from it."""
        call.passing = call.passing or call.late
        menu = self.menus.current()
        hint = self.hints.get(call.key)
        language = hint.language if hint else self._beginning.language(call)
        base = Record(menu.version, language, day=day_of(call.at))
        if self._offering.made(call):
            return self._anew(call, replace(base, prefix=call.text, sorry=True))
        self.hints.put(call.key, base)
        known = self._beginning.known
        walk = self._walking.through(call, menu, base, split(call.text), lambda: known(call))
        kept = self._keeping.exchange(call, (walk.last, walk.record), (menu, walk.turn))
        return self._against(call, kept) if kept else self._taken(call, walk)

    def _anew(self, call: Call, record: Record) -> Turn:
        """The first screen with an apology; what was keyed before means nothing from here on."""
        menu = self.menus.current()
        turn = replay(menu, record)
        kept = self._keeping.exchange(call, (None, record), (menu, turn))
        if kept is not None:
            return self._against(call, kept)
        self.hints.put(call.key, record)
        return turn

    # -- aggregators that send the last key only

    def _single(self, call: Call) -> Turn:
        kept = self._keeping.caught_up(call) or self._keeping.kept(call)
        if not call.keeps:
            raise Unavailable("sessions")  # the last key alone says nothing
        if kept is not None:
            return self._against(call, kept)
        turn = self._first(call)
        if not call.text or turn.ask is not None:
            return turn
        menu = self.menus.current()
        if turn.session.screen != menu.first or turn.session.trail:
            return turn  # an offer to go on says it better
        return shown(menu, Moved(turn.session, menu.words.lost))

    # -- both

    def _against(self, call: Call, kept: Record) -> Turn:
        """The answer to a callback beside what is kept: a repeat, a key more, or nothing new."""
        for _ in range(TRIES):
            self.hints.put(call.key, kept)
            menu = self.menus.pinned(kept.version)
            if menu is None:
                return self._moved_on(call, kept)
            added = self._added(call, menu, kept)
            if isinstance(added, Record):
                return offering(menu, added) if added.offered else replay(menu, added)
            turn, other = self._go_on(call, menu, kept, added)
            if other is None:
                return turn
            kept = other
        raise Unavailable("sessions")  # rivals were quicker every time

    def _added(self, call: Call, menu: Menu, kept: Record) -> Record | tuple[str, ...]:
        """The keys a callback adds to what is kept, or the record whose screen it gets again."""
        if call.keyed.cumulative:
            return news(menu, kept, call.text)
        if self._told(call, kept) is Told.REPEATED:
            return kept
        return (call.text,) if kept.seen is not None or call.text else kept

    def _go_on(
        self, call: Call, menu: Menu, kept: Record, keys: Sequence[str]
    ) -> tuple[Turn, Record | None]:
        """What those keys cause after the kept record, and what was kept instead by another."""
        if kept.offered:
            turn, other, record = self._offering.decided(call, menu, kept, keys[-1])
            self.hints.put(call.key, record)
            return turn, other
        turn = replay(menu, kept)
        if turn.ends:
            return turn, None
        # of several keys at once the last one's screen was never seen
        sure = len(keys) == 1 and self._sure(call, kept)
        walk = self._walking.through(call, menu, kept, keys, lambda: sure)
        change = (kept, marked(walk.record, call.keyed, call.at.timestamp()))
        other = self._keeping.exchange(call, change, (menu, walk.turn), turn.session)
        return (walk.turn, other) if other else (self._taken(call, walk), None)

    def _told(self, call: Call, kept: Record) -> Told:
        keyed = call.keyed
        return told(kept, keyed, call.at.timestamp()) if isinstance(keyed, Marked) else Told.NEW

    def _sure(self, call: Call, kept: Record) -> bool:
        """Whether that key was keyed, and not sent twice; after a screen was shown once more for
        that reason, it was."""
        asked_again = bool(kept.found) and kept.found[-1].outcome == AGAIN
        return asked_again or self._told(call, kept) is not Told.UNSURE

    def _moved_on(self, call: Call, kept: Record) -> Turn:
        """Its menu is forgotten: it goes on in the current one, and an effect is confirmed anew."""
        menu = self.menus.current()
        base = Record(menu.version, kept.language, day=kept.day, prefix=kept.prefix)
        base = marked(base, call.keyed, call.at.timestamp(), kept)
        if kept.past or kept.offered or kept.sorry:
            base = replace(base, prefix=call.text, sorry=True)
            self._keeping.exchange(call, (kept, base), (menu, replay(menu, base)))
            return replay(menu, base)
        rest = rest_after(kept, call.text) if call.keyed.cumulative else call.text
        keys = kept.keys if rest is None else (*kept.keys, *split(rest))
        walk = self._walking.through(call, menu, base, keys, lambda: False)
        self._keeping.exchange(call, (kept, walk.record), (menu, walk.turn))
        return self._taken(call, walk)

    def _taken(self, call: Call, walk: Walk) -> Turn:
        """A turn that is now kept: the language it chose is remembered."""
        language = walk.turn.session.language
        if language != walk.before.language:
            self._beginning.remember(call, language)
        return walk.turn
