"""A text to the short code is kept, understood, done, and answered once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from ussdapp.core.case import MOST_WORDS
from ussdapp.core.inbound import Mo
from ussdapp.core.keywords import Verb, read
from ussdapp.core.letters import Letters
from ussdapp.core.reference import Reference
from ussdapp.core.screen_text import cleaned
from ussdapp.core.services import Services
from ussdapp.ports import (
    BackOffices,
    Cases,
    Dialogues,
    Doorbells,
    Handovers,
    Institutions,
    Mos,
    Networks,
    Notifications,
    OptOuts,
    Questions,
    Tries,
)
from ussdapp.usecases.receive_mo.asked import Answer, Asked
from ussdapp.usecases.receive_mo.choosing import Choosing
from ussdapp.usecases.receive_mo.filing import Filing
from ussdapp.usecases.receive_mo.serving import Serving
from ussdapp.usecases.receive_mo.writing import Writing

log = structlog.get_logger()

# Within which the same content, where the operator gives no id, is one text delivered again.
_REPEATED_WITHIN: Final = timedelta(seconds=60)
# what an institution is told of by webhook: not who asked how a case stands, or wants no texts
_TOLD: Final = frozenset({Verb.FILE, Verb.ADD, Verb.UNKNOWN})
_TOLD_WITHIN: Final = timedelta(minutes=10)  # of what a case keeps


@dataclass(frozen=True, slots=True)
class ReceiveMo:
    """Every step is unique by the text's effect key, so a repeat after a crash completes what
    was begun and doubles nothing; a repeat of what was settled does nothing. Without `offices` no
    institution is connected, without `tries` no wrong reference is counted. `heard_on` tells by
    which channel a network is reached, by the channel and the network that an inbound names.
    Raises Unavailable when nothing was kept."""

    mos: Mos
    cases: Cases
    dialogues: Dialogues
    institutions: Institutions
    notifications: Notifications
    opt_outs: OptOuts
    doorbells: Doorbells
    letters: Letters
    new_reference: Callable[[], Reference]
    services: Services = field(default_factory=Services)
    offices: BackOffices | None = None
    questions: Questions | None = None
    tries: Tries | None = None
    networks: Networks | None = None
    heard_on: Mapping[tuple[str, str], str] = field(default_factory=dict)
    handovers: Handovers | None = None
    _writing: Writing = field(init=False, repr=False)
    _filing: Filing = field(init=False, repr=False)
    _choosing: Choosing = field(init=False, repr=False)
    _serving: Serving = field(init=False, repr=False)

    def __post_init__(self) -> None:
        writing = Writing(self.letters)
        filing = Filing(self.cases, self.institutions, writing, self.new_reference, self.tries)
        choosing = Choosing(self.opt_outs, self.institutions, self.dialogues)
        serving = Serving(self.services, self.letters, self.offices, self.questions, self.handovers)
        object.__setattr__(self, "_writing", writing)
        object.__setattr__(self, "_filing", filing)
        object.__setattr__(self, "_choosing", choosing)
        object.__setattr__(self, "_serving", serving)

    def __call__(self, mo: Mo, now: datetime) -> None:
        """Keeps the text; does what it asks and answers it, if a subscriber sent it."""
        command = read(mo.text)
        kept = self.mos.keep(mo, now, _TOLD_WITHIN if command.tells else _REPEATED_WITHIN)
        effect = kept.effect
        if kept.settled:
            # done again, an old ACHA would undo the ANZA that came after it
            log.info("mo.repeated", channel=mo.channel)
            return
        if mo.msisdn is None:
            # short codes, names and our own numbers: two machines would answer each other for ever
            log.info("mo.unanswered", channel=mo.channel)
            self.mos.settle(effect, "no_subscriber")
            return
        reached = self.heard_on.get((mo.channel, mo.network))
        if self.networks is not None and reached is not None:
            self.networks.inbound(mo.msisdn, reached, now)
        language = self.dialogues.language(mo.msisdn, command.language)
        text = cleaned(mo.text).strip()
        asked = Asked(effect, mo.msisdn, language, command, now, text[:MOST_WORDS])
        log.info("mo.received", channel=mo.channel, verb=command.verb.value)
        if to := self._serving.handed_over(asked):
            self.mos.settle(effect, "handed_over", *to)
            return
        self._answer(asked, mo.channel)

    def _answer(self, asked: Asked, channel: str) -> None:
        # a case was filed with its answer; the same effect is accepted once
        answer, command = self._done(asked), asked.command
        answered = self.notifications.accept(self._writing.written(asked, answer))
        if not answered:
            log.warning("mo.over_cap", channel=channel)
        concerned = answer.institution if command.verb in _TOLD else None
        keyword = command.word.upper() if concerned else ""  # else it is the citizen's own word
        self.mos.settle(asked.effect, "answered" if answered else "over_cap", concerned, keyword)
        self.doorbells.ring(self.letters.routes.channel(asked.msisdn))

    def _done(self, asked: Asked) -> Answer:
        """Does what is asked; returns what is to be answered."""
        match asked.command.verb:
            case Verb.FILE:
                return self._filing.file(asked)
            case Verb.ADD:
                return self._filing.add(asked)
            case Verb.STATUS:
                return self._filing.status(asked)
            case Verb.OPT_OUT:
                return self._choosing.opt_out(asked)
            case Verb.OPT_IN:
                return self._choosing.opt_in(asked)
            case Verb.LANGUAGE:
                return self._choosing.language(asked)
            case Verb.HELP:
                return Answer("help")
            case Verb.UNKNOWN:
                return self._serving.serve(asked)
