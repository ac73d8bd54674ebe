"""Has what a dialogue asks for: cases filed and looked up, institutions asked, each effect once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.asks import (
    AGAIN,
    ASKS,
    HAND_IN,
    LATE,
    RELAY,
    UNAVAILABLE,
)
from ussdapp.core.back_office import Asker, Question
from ussdapp.core.filing import (
    ask_key,
    day_of,
    effect_key,
    found_filed,
    found_status,
    letter,
    new_case,
)
from ussdapp.core.letters import Letters
from ussdapp.core.menu import Menu
from ussdapp.core.office import found_handed_in, found_looked_up, found_relayed, question, sent
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.reference import DRAWS, NotAReference, Reference
from ussdapp.core.replay import Walk
from ussdapp.core.screen_text import readable
from ussdapp.core.screens import External, Lookup
from ussdapp.core.session import MOST_TRIES, SAID, Ask, Found
from ussdapp.ports import (
    BackOffices,
    Cases,
    Dialogues,
    Doorbells,
    OfficeGarbled,
    OfficeLate,
    OfficeUnavailable,
    OptOuts,
    Questions,
    ReferenceTaken,
    Sessions,
    Unavailable,
)
from ussdapp.usecases.answer_ussd.call import Call

log = structlog.get_logger()

CASE: Final = "case.file"
FILED: Final = ("taasisi", "aina", "utambulisho", "maelezo")  # the answers that make a case
KNOWN: Final = "known"  # the outcome of a case that was filed a moment ago
TOO_MANY: Final = "too_many"  # and of a reference after too many wrong ones


class Underway(Exception):
    """Another callback is telling an application this very key."""


Trust = Callable[[], bool]  # whether an effect met now may be had


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers what a walk asks for. An ask that cannot be had has the outcome `unavailable`; an
    effect that may not be had yet, `again`."""

    dialogues: Dialogues
    cases: Cases
    letters: Letters
    doorbells: Doorbells
    new_reference: Callable[[], Reference]
    offices: BackOffices | None
    questions: Questions | None
    sessions: Sessions
    opt_outs: OptOuts | None = None

    def found(self, call: Call, menu: Menu, walk: Walk, trust: Trust) -> Found:
        """What the walk's ask comes back with. Raises Unavailable through `trust` alone, and
        Underway."""
        ask = walk.turn.ask
        assert ask is not None
        if ask.name in ASKS and ASKS[ask.name].effect and not trust():
            return Found(AGAIN)
        try:
            match ask.name:
                case "case.file":
                    return self._filed(call, menu, walk)
                case "case.status":
                    return self._status(call, menu, walk)
                case "notices.stop" | "notices.stop_all" | "notices.start" | "notices.start_all":
                    return self._notices(call, ask)
                case _:
                    return self._office(call, menu, walk, ask)
        except (Unavailable, LookupError, OfficeUnavailable) as trouble:
            log.warning("ussd.ask_unanswered", ask=ask.name, trouble=type(trouble).__name__)
            return Found(UNAVAILABLE)

    # -- cases

    def _filed(self, call: Call, menu: Menu, walk: Walk) -> Found:
        own = self._filing(call, walk)
        effect = self._first_effect(call, walk, own)
        for _ in range(DRAWS):
            case = new_case(call.keyed, walk.turn, effect, self.new_reference(), call.at)
            told = letter(self.letters, case)
            try:
                reference = self.cases.file(case, told)
            except ReferenceTaken:
                continue
            found = found_filed(case, reference)
            if effect != own and reference != case.reference:
                return Found(_named(menu, walk, KNOWN, found.outcome), found.values)
            if told is not None:
                self.doorbells.ring(told.channel)
            return found
        raise LookupError("every reference number drawn was taken")

    def _first_effect(self, call: Call, walk: Walk, own: str) -> str:
        """The effect of the same words a moment ago, also while they are being filed."""
        answers = walk.turn.session.answers
        words = " ".join(answers["maelezo"].split()).casefold()
        rest = (answers[name] for name in FILED if name != "maelezo")
        key = ask_key(call.keyed.msisdn.digits, "", CASE, words, *rest)
        try:
            return self.sessions.first_effect(key, own)
        except Unavailable:
            return own

    def _status(self, call: Call, menu: Menu, walk: Walk) -> Found:
        session = walk.turn.session
        try:
            reference = Reference.parse(session.answers["kumbukumbu"])
        except NotAReference:
            return Found("missing")
        if self._tried(call) >= MOST_TRIES:
            log.warning("ussd.references_tried", channel=call.keyed.channel)
            return Found(_named(menu, walk, TOO_MANY, "missing"))
        case = self.cases.view(reference, call.keyed.msisdn)
        if case is None:
            self._tried(call, reference.digits)
            return Found("missing")
        return found_status(self.letters, case, session.language)

    def _tried(self, call: Call, wrong: str = "") -> int:
        """How many wrong references the citizen tried today; 0 where nobody knows."""
        try:
            return self.sessions.tried(call.keyed.msisdn, day_of(call.at), wrong)
        except Unavailable:
            return 0

    # -- notices

    def _notices(self, call: Call, ask: Ask) -> Found:
        """An institution's notices are stopped or start again, or those of all."""
        if self.opt_outs is None:
            raise Unavailable("opt_outs")
        act, _, of_all = ask.name.partition("_")
        change = self.opt_outs.opt_out if act == "notices.stop" else self.opt_outs.opt_in
        institution = None if of_all else ask.answers["taasisi"]
        change(call.keyed.msisdn, institution, call.at, Learnt.USSD)
        log.info("ussd.notices", ask=ask.name)
        return Found("done")

    # -- institutions

    def _office(self, call: Call, menu: Menu, walk: Walk, ask: Ask) -> Found:
        if self.offices is None:
            raise OfficeUnavailable("no institution is connected")
        screen = menu.screens[ask.screen]
        asker = self._asker(call, walk, ask, screen if isinstance(screen, Lookup) else None)
        try:
            if isinstance(screen, External):
                return self._relayed(self.offices, call, menu, walk, asker)
            assert isinstance(screen, Lookup)
            given = sent(screen, ask.answers)
            if screen.asks == HAND_IN:
                return found_handed_in(self.offices.hand_in(screen.of, given, asker))
            answer = self.offices.look_up(screen.of, next(iter(given.values()), ""), asker)
            return found_looked_up(screen, answer)
        except OfficeLate:
            return self._late(call, menu, walk, asker)
        except OfficeGarbled:
            # what was handed in may have been taken
            if ask.name != HAND_IN:
                raise
            return self._late(call, menu, walk, asker)

    def _relayed(
        self, offices: BackOffices, call: Call, menu: Menu, walk: Walk, asker: Asker
    ) -> Found:
        session = walk.turn.session
        screen = menu.screens[session.screen]
        assert isinstance(screen, External)
        if walk.unread and not call.keeps:
            # nobody would remember what it says, so that every key would begin it anew
            raise OfficeUnavailable("without Redis no application is asked")
        # begun twice it only begins, but a key told twice would be two keys to it
        if session.hands is not None and not self.sessions.claim(asker.effect):
            raise Underway
        sorry = menu.words.lost[asker.language] if walk.unread else ""
        return found_relayed(screen, offices.relay(screen.of, asker, session.hands), sorry)

    def _late(self, call: Call, menu: Menu, walk: Walk, asker: Asker) -> Found:
        ask = walk.turn.ask
        if ask is None or ask.name == RELAY:
            return Found(LATE)
        asked = question(menu, walk.turn.session, asker)
        if not self._kept(asked, call.at):
            return self._in_doubt(asked) if ask.name == HAND_IN else Found(UNAVAILABLE)
        log.info("ussd.ask_late", ask=ask.name)
        return Found(LATE)

    def _kept(self, asked: Question, at: datetime) -> bool:
        """Whether it will be asked again."""
        if self.questions is None:
            return False
        try:
            self.questions.keep(asked, at)
        except Unavailable:
            return False
        return True

    def _in_doubt(self, asked: Question) -> Found:
        """What was handed in may have been taken, and nobody will ask again: it is not said to be
        unavailable, nor that an SMS follows."""
        log.error("ussd.hand_in_in_doubt", office=asked.office)
        language, said = asked.asker.language, {"huduma": asked.title}
        text = self.letters.say("late_unconfirmed", language, said)
        return Found(SAID, {"text": readable(text)})

    def _asker(self, call: Call, walk: Walk, ask: Ask, screen: Lookup | None) -> Asker:
        record, session = walk.record, walk.turn.session
        if screen is not None and screen.effect:
            # an answer changed since is another submission, the same ones are a repeat
            answers = sent(screen, ask.answers).values()
            effect = ask_key(self._effect(call, walk), "", HAND_IN, *answers)
        else:
            origin, day = record.origin or call.key, record.day or day_of(call.at)
            given = sent(screen, ask.answers).values() if screen else (record.seen or "",)
            effect = ask_key(origin, day, ask.screen, *given)
        return Asker(call.keyed.msisdn, call.keyed.session_id, session.language, effect)

    # -- effects

    def _effect(self, call: Call, walk: Walk) -> str:
        session, dialogue = walk.turn.session, walk.record.origin or call.key
        began = self._beginning(call, dialogue)
        return effect_key(dialogue, began, session.screen, session.effects)

    def _filing(self, call: Call, walk: Walk) -> str:
        """Covers what is filed: an operator may use a session id again before its first beginning
        is forgotten, and those words are another's."""
        answers = walk.turn.session.answers
        return ask_key(self._effect(call, walk), "", CASE, *(answers[name] for name in FILED))

    def _beginning(self, call: Call, dialogue: str) -> datetime:
        began = self.dialogues.began_at(dialogue)
        if began is None:
            # a deep dial had no first callback; another thread may record it as well, once
            keyed = call.keyed
            self.dialogues.begin(dialogue, keyed.channel, keyed.msisdn, call.at)
            began = self.dialogues.began_at(dialogue)
        return began or call.at


def _named(menu: Menu, walk: Walk, outcome: str, instead: str) -> str:
    """The outcome where the menu has a screen for it, else the one that says nearly the same."""
    screen = menu.screens[walk.turn.session.screen]
    return outcome if isinstance(screen, Lookup) and outcome in screen.goto else instead
