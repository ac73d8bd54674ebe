"""A key of a dialogue is answered with a screen; what it asks for is done once.

Most aggregators send all that was keyed so far, joined with `*` ("9*2*1"), and do not escape a
`*` that a citizen types. So a text is never trusted to split into keys: `core.replay` guesses,
and one exchange with Redis proves the guess by comparing the record before its last key with the
one kept. Where the two differ the kept record decides: what the text adds to it is the new key,
whole. Only when nothing is kept does the guess stand, by the rules `core.replay` states.

An effect (a case filed) is never had from a guess. It needs the kept record one key before it,
or, when Redis lost it, a beginning in PostgreSQL; without either its screen is shown once more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.asks import ASKS, UNAVAILABLE
from ussdapp.core.dialogue import AGAIN, Moved, home, shown
from ussdapp.core.filing import (
    effect_key,
    found_filed,
    found_status,
    letter,
    new_case,
    session_key,
)
from ussdapp.core.hints import Hints
from ussdapp.core.inbound import Keyed
from ussdapp.core.letters import Letters
from ussdapp.core.menu import Menu, Spoken
from ussdapp.core.reference import NotAReference, Reference
from ussdapp.core.replay import Walk, extend, news, replay, split
from ussdapp.core.screen_text import cleaned
from ussdapp.core.session import Found, Record, Shown, Turn
from ussdapp.ports import (
    Cases,
    Dialogues,
    Doorbells,
    Menus,
    ReferenceTaken,
    Sessions,
    Unavailable,
)

log = structlog.get_logger()

MOST_TEXT: Final = 2048  # octets of UTF-8 that one dialogue may key
MOST_ASKS: Final = 6  # asks that one callback may have answered
DRAWS: Final = 5  # reference numbers drawn for one case
TRIES: Final = 3  # of one callback against others of its dialogue

Trust = Callable[[], bool]  # whether an effect met now may be had


@dataclass(slots=True, repr=False)
class Call:
    """One callback being answered. `keeps` ends when Redis is down or the screen is not to be
    kept, because the same key may do better when it comes again."""

    keyed: Keyed
    key: str
    text: str
    at: datetime
    keeps: bool = True


class TooMuch(Exception):
    """More is asked for on the way than one callback may."""


@dataclass(frozen=True, slots=True)
class AnswerUssd:
    """Answers every callback with a screen and raises nothing that a port promises: Redis may be
    down or wiped, and without PostgreSQL a screen says that the service is not available."""

    sessions: Sessions
    dialogues: Dialogues
    cases: Cases
    menus: Menus
    letters: Letters
    doorbells: Doorbells
    new_reference: Callable[[], Reference]
    hints: Hints = field(default_factory=Hints)

    def __call__(self, keyed: Keyed, now: datetime) -> Shown:
        """The screen that the handset is given; the same callback again gives the same one."""
        call = Call(keyed, session_key(keyed), cleaned(keyed.text), now)
        turn = self._turn(call)
        log.info("ussd.step", channel=keyed.channel, screen=turn.session.screen, ends=turn.ends)
        return Shown(turn.text, turn.ends)

    def _turn(self, call: Call) -> Turn:
        words = self.menus.current().words
        try:
            if len(call.text.encode()) <= MOST_TEXT:
                return self._cumulative(call) if call.keyed.cumulative else self._single(call)
            return self._closing(call, words.too_long)
        except TooMuch:
            return self._closing(call, words.too_long)
        except Unavailable as trouble:
            log.warning("ussd.unavailable", channel=call.keyed.channel, store=str(trouble))
            return self._closing(call, words.unavailable)

    def _closing(self, call: Call, says: Spoken) -> Turn:
        language = self.hints.get(call.key) or "sw"
        return Turn(home(self.menus.current(), language), says[language], ends=True)

    # -- aggregators that send all that was keyed

    def _cumulative(self, call: Call) -> Turn:
        if not call.text:
            return self._first(call)
        menu, language = self.menus.current(), self.hints.get(call.key)
        if language is not None:
            walk = extend(menu, Record(menu.version, language), split(call.text))
            if walk.turn.ask is None:
                kept = self._exchange(call, walk.last, walk.record)
                return self._against(call, kept) if kept else self._taken(call, walk)
        kept = self._kept(call)
        return self._against(call, kept) if kept else self._lost(call)

    def _first(self, call: Call) -> Turn:
        """The first screen, also for a late repeat of the first callback."""
        keyed, menu = call.keyed, self.menus.current()
        language = self.dialogues.begin(call.key, keyed.channel, keyed.msisdn, call.at)
        first = Record(menu.version, language)
        kept = self._exchange(call, None, first)
        if kept is not None:
            first = replace(kept, keys=(), found=())
        self.hints.put(call.key, first.language)
        return replay(self.menus.pinned(first.version) or menu, first)

    def _lost(self, call: Call) -> Turn:
        """Nothing is kept: the whole text is walked. An effect needs a recorded beginning."""
        menu = self.menus.current()
        language = self.hints.get(call.key) or self.dialogues.language(call.keyed.msisdn)
        self.hints.put(call.key, language)
        base = Record(menu.version, language)
        walk = self._through(call, menu, base, split(call.text), lambda: self._began(call))
        kept = self._exchange(call, walk.last, walk.record)
        return self._against(call, kept) if kept else self._taken(call, walk)

    def _began(self, call: Call) -> bool:
        if self.dialogues.began_at(call.key) is not None:
            return True
        if not call.keeps:
            # Redis is down, so nobody would remember that the screen was shown once more
            raise Unavailable("sessions")
        return False

    # -- aggregators that send the last key only

    def _single(self, call: Call) -> Turn:
        kept = self._kept(call)
        if not call.keeps:
            raise Unavailable("sessions")  # the last key alone says nothing
        if kept is None:
            return self._anew(call)
        return self._against(call, kept)

    def _anew(self, call: Call) -> Turn:
        turn = self._first(call)
        if not call.text:
            return turn
        menu = self.menus.current()
        return shown(menu, Moved(turn.session, menu.words.lost))

    # -- both

    def _against(self, call: Call, kept: Record) -> Turn:
        """The answer to a callback beside what is kept: a repeat, a key more, or nothing new."""
        self.hints.put(call.key, kept.language)
        for _ in range(TRIES):
            menu = self.menus.pinned(kept.version)
            if menu is None:
                return self._moved_on(call, kept)
            added = self._added(call, menu, kept)
            if isinstance(added, Record):
                return replay(menu, added)
            turn, other = self._go_on(call, menu, kept, added)
            if other is None:
                return turn
            kept = other
        raise Unavailable("sessions")  # rivals were quicker every time

    def _added(self, call: Call, menu: Menu, kept: Record) -> Record | tuple[str, ...]:
        """The keys a callback adds to what is kept, or the record whose screen it gets again."""
        if call.keyed.cumulative:
            return news(menu, kept, call.text)
        return (call.text,) if kept.keys or call.text else kept

    def _go_on(
        self, call: Call, menu: Menu, kept: Record, keys: Sequence[str]
    ) -> tuple[Turn, Record | None]:
        """What those keys cause after the kept record, and what was kept instead by another."""
        turn = replay(menu, kept)
        if turn.ends:
            return turn, None
        # of several keys at once the last one's screen was never seen
        walk = self._through(call, menu, kept, keys, lambda: len(keys) == 1)
        other = self._exchange(call, kept, walk.record)
        return (walk.turn, other) if other else (self._taken(call, walk), None)

    def _moved_on(self, call: Call, kept: Record) -> Turn:
        """Its menu is forgotten: it goes on in the current one, and an effect is confirmed anew."""
        menu = self.menus.current()
        keys = split(call.text) if call.keyed.cumulative else (*kept.keys, call.text)
        base = Record(menu.version, kept.language)
        walk = self._through(call, menu, base, keys, lambda: False)
        self._exchange(call, kept, walk.record)
        return self._taken(call, walk)

    def _taken(self, call: Call, walk: Walk) -> Turn:
        """A turn that is now kept: the language it chose is remembered."""
        language = walk.turn.session.language
        if language != walk.before.language:
            self._remember(call, language)
        return walk.turn

    def _remember(self, call: Call, language: str) -> None:
        try:
            self.dialogues.remember_language(call.keyed.msisdn, language, call.at)
        except Unavailable:
            # the dialogue itself goes on in that language
            log.warning("ussd.language_forgotten", channel=call.keyed.channel)

    def _kept(self, call: Call) -> Record | None:
        try:
            return self.sessions.kept(call.key)
        except Unavailable:
            call.keeps = False
            return None

    def _exchange(self, call: Call, before: Record | None, after: Record) -> Record | None:
        if not call.keeps:
            return None
        try:
            return self.sessions.exchange(call.key, before, after)
        except Unavailable:
            call.keeps = False
            return None

    # -- what a dialogue asks for

    def _through(
        self, call: Call, menu: Menu, base: Record, keys: Sequence[str], trust: Trust
    ) -> Walk:
        """The walk of those keys with every ask on the way answered."""
        walk = extend(menu, base, keys)
        for _ in range(MOST_ASKS):
            if walk.turn.ask is None:
                return walk
            found = self._found(call, walk.turn, trust)
            call.keeps = call.keeps and found.outcome != UNAVAILABLE
            base = replace(base, found=(*base.found, found))
            walk = extend(menu, base, keys)
        if walk.turn.ask is not None:
            raise TooMuch
        return walk

    def _found(self, call: Call, turn: Turn, trust: Trust) -> Found:
        name = turn.ask.name if turn.ask else ""
        if ASKS[name].effect and not trust():
            return Found(AGAIN)
        try:
            return self._filed(call, turn) if name == "case.file" else self._status(call, turn)
        except (Unavailable, LookupError) as trouble:
            log.warning("ussd.ask_unanswered", ask=name, trouble=type(trouble).__name__)
            return Found(UNAVAILABLE)

    def _filed(self, call: Call, turn: Turn) -> Found:
        effect = effect_key(call.keyed, self._beginning(call), turn.session.screen)
        for _ in range(DRAWS):
            case = new_case(call.keyed, turn, effect, self.new_reference(), call.at)
            told = letter(self.letters, case)
            try:
                reference = self.cases.file(case, told)
            except ReferenceTaken:
                continue
            if told is not None:
                self.doorbells.ring(told.channel)
            return found_filed(case, reference)
        raise LookupError("every reference number drawn was taken")

    def _beginning(self, call: Call) -> datetime:
        began = self.dialogues.began_at(call.key)
        if began is None:
            # a deep dial had no first callback; another thread may record it as well, once
            keyed = call.keyed
            self.dialogues.begin(call.key, keyed.channel, keyed.msisdn, call.at)
            began = self.dialogues.began_at(call.key)
        return began or call.at

    def _status(self, call: Call, turn: Turn) -> Found:
        try:
            reference = Reference.parse(turn.session.answers["kumbukumbu"])
        except NotAReference:
            return Found("missing")
        case = self.cases.view(reference, call.keyed.msisdn)
        if case is None:
            return Found("missing")
        return found_status(self.letters, case, turn.session.language)
