"""A text to the short code is kept, understood, done, and answered once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from ussdapp.core.back_office import Asker
from ussdapp.core.case import MOST_WORDS, Kind, NewCase, Visibility
from ussdapp.core.filing import ask_key, day_of
from ussdapp.core.inbound import Mo
from ussdapp.core.keywords import Command, Verb, fields, read
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.reference import DRAWS, NotAReference, Reference
from ussdapp.core.screen_text import cleaned
from ussdapp.core.services import KEYWORD_OFFICE, Request, Services, handed
from ussdapp.core.session import MOST_TRIES
from ussdapp.core.texts import LANGUAGES
from ussdapp.ports import (
    Addition,
    BackOffices,
    CaseClosed,
    Cases,
    Dialogues,
    Doorbells,
    Handovers,
    Institutions,
    Mos,
    Networks,
    Notifications,
    OfficeLate,
    OfficeUnavailable,
    OptOuts,
    Questions,
    ReferenceTaken,
    Tries,
    Unavailable,
)

log = structlog.get_logger()

# Within which the same content, where the operator gives no id, is one text delivered again.
_REPEATED_WITHIN: Final = timedelta(seconds=60)
# what an institution is told of by webhook: not who asked how a case stands, or wants no texts
_TOLD: Final = frozenset({Verb.FILE, Verb.ADD, Verb.UNKNOWN})
# what must be confirmed: a citizen who is not told that the texts end writes again, or complains
_CONFIRMED: Final = frozenset({Verb.OPT_OUT, Verb.OPT_IN})
_TOLD_WITHIN: Final = timedelta(minutes=10)  # of what a case keeps


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """A citizen's text, and the same understood. `effect` is the key that makes all it causes
    happen once."""

    effect: str
    msisdn: Msisdn
    language: str
    command: Command
    at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """The sentence to answer with, what stands in its gaps, and the institution it is about."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    institution: str | None = None
    language: str | None = None  # when it is not the citizen's remembered one


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
        if to := self._handed_over(asked):
            self.mos.settle(effect, "handed_over", *to)
            return
        # a case was filed with its answer; the same effect is accepted once
        answer = self._done(asked)
        answered = self.notifications.accept(self._written(asked, answer))
        if not answered:
            log.warning("mo.over_cap", channel=mo.channel)
        concerned = answer.institution if command.verb in _TOLD else None
        keyword = command.word.upper() if concerned else ""  # else it is the citizen's own word
        self.mos.settle(effect, "answered" if answered else "over_cap", concerned, keyword)
        self.doorbells.ring(self.letters.routes.channel(mo.msisdn))

    def _handed_over(self, asked: Asked) -> tuple[str, str] | None:
        """Keeps the text for the institution whose own keyword begins it; returns both, None where
        there is none. It is handed over, and answered, by `workers.asking`: a slow one keeps no
        bind waiting."""
        if asked.command.verb is not Verb.UNKNOWN or not (self.handovers and self.questions):
            return None
        word = next(iter(fields(asked.command.word)), "").upper()
        if not word or self.services.asked(asked.command):
            return None
        institution = self.handovers.institution(word)
        if institution is None:
            return None
        effect = ask_key(asked.effect, "", f"{KEYWORD_OFFICE}{word}", asked.text)
        asker = Asker(asked.msisdn, effect, asked.language, effect)
        self.questions.keep(handed(word, institution, asked.text, asker, asked.at), asked.at)
        return institution, word

    def _done(self, asked: Asked) -> Answer:
        """Does what is asked; returns what is to be answered."""
        match asked.command.verb:
            case Verb.FILE:
                return self._file(asked)
            case Verb.ADD:
                return self._add(asked)
            case Verb.STATUS:
                return self._status(asked)
            case Verb.OPT_OUT:
                return self._opt(asked, self.opt_outs.opt_out, "opted_out", "opted_out_of")
            case Verb.OPT_IN:
                return self._opt(asked, self.opt_outs.opt_in, "opted_in", "opted_in_to")
            case Verb.LANGUAGE:
                return self._language(asked)
            case Verb.HELP:
                return Answer("help")
            case Verb.UNKNOWN:
                request = self.services.asked(asked.command)
                return self._serve(asked, request) if request else Answer("not_understood")

    def _file(self, asked: Asked) -> Answer:
        if not asked.command.words:
            return Answer("feedback_incomplete")
        institution = self.institutions.named(asked.command.subject)
        if institution is None:
            return Answer("institution_unknown")
        for _ in range(DRAWS):
            case = self._case(asked, institution)
            try:
                # committed together: a reference nobody hears of helps nobody
                filed = self.cases.file(case, self._written(asked, self._filed(asked, case)))
            except ReferenceTaken:
                continue
            return self._filed(asked, replace(case, reference=filed))
        raise Unavailable("every reference number drawn was taken")

    def _case(self, asked: Asked, institution: str) -> NewCase:
        return NewCase(
            effect=asked.effect,
            reference=self.new_reference(),
            institution=institution,
            kind=Kind(asked.command.word.lower()),
            visibility=Visibility.NAMED,
            words=asked.command.words,
            msisdn=asked.msisdn,
            language=asked.language,
            medium="sms",
            received_at=asked.at,
        )

    def _filed(self, asked: Asked, case: NewCase) -> Answer:
        kind = self.letters.say(case.kind.value, asked.language)
        values = {"aina": kind, "kumbukumbu": str(case.reference)}
        return Answer("case_received", values, case.institution)

    def _add(self, asked: Asked) -> Answer:
        digits, words = asked.command.addition
        if not words:
            return Answer("addition_incomplete")
        try:
            reference = Reference.parse(digits)
            if self._tried(asked) >= MOST_TRIES:
                return Answer("addition_unknown")
            case = self.cases.add(Addition(asked.effect, reference, asked.msisdn, words, asked.at))
        except NotAReference:
            return Answer("addition_unknown")
        except CaseClosed:
            return Answer("case_closed", {"kumbukumbu": str(reference)})
        if case is None:
            self._tried(asked, reference.digits)
            return Answer("addition_unknown")
        return Answer("addition_kept", {"kumbukumbu": str(reference)}, case.institution)

    def _status(self, asked: Asked) -> Answer:
        try:
            reference = Reference.parse(asked.command.rest)
        except NotAReference:
            return Answer("case_unknown")
        if self._tried(asked) >= MOST_TRIES:
            return Answer("case_unknown")  # what a wrong one is told, whatever it is
        case = self.cases.view(reference, asked.msisdn)
        if case is None:
            self._tried(asked, reference.digits)
            return Answer("case_unknown")
        status = self.letters.say(case.status.value, asked.language)
        values = {"kumbukumbu": str(reference), "hali": status, "jibu": case.answer}
        name = "case_status_answered" if case.answer else "case_status"
        return Answer(name, values, case.institution)

    def _tried(self, asked: Asked, wrong: str = "") -> int:
        """How many wrong references the citizen tried today; 0 where nobody knows."""
        if self.tries is None:
            return 0
        try:
            return self.tries.tried(asked.msisdn, day_of(asked.at), wrong)
        except Unavailable:
            return 0

    def _opt(
        self,
        asked: Asked,
        change: Callable[[Msisdn, str | None, datetime, Learnt], None],
        of_all: str,
        of_one: str,
    ) -> Answer:
        subject = asked.command.subject
        institution = self.institutions.named(subject) if subject else None
        if subject and institution is None:
            return Answer("institution_not_known")
        change(asked.msisdn, institution, asked.at, Learnt.SMS)
        return Answer(of_one, {}, institution) if institution else Answer(of_all)

    def _language(self, asked: Asked) -> Answer:
        language = asked.command.subject.lower()
        if language not in LANGUAGES:
            return Answer("not_understood")
        self.dialogues.remember_language(asked.msisdn, language, asked.at)
        return Answer("language_kept", language=language)

    def _serve(self, asked: Asked, request: Request) -> Answer:
        service, language = request.service, asked.language
        if request.value is None:
            return self._told(request, request.refusal(language, self._codes()))
        if self.offices is None:
            return self._untold(request, "service_unavailable", language)
        asker = self._asker(asked, request, request.value)
        try:
            told = self.offices.look_up(service.asks.of, request.value, asker)
        except OfficeLate:
            return self._late(request, asker, asked.at)
        except OfficeUnavailable as trouble:
            log.warning("mo.ask_unanswered", trouble=type(trouble).__name__)
            return self._untold(request, "service_unavailable", language)
        return self._told(request, request.answer(told, language, self._codes()))

    def _late(self, request: Request, asker: Asker, at: datetime) -> Answer:
        if self.questions is None:
            return self._untold(request, "service_unavailable", asker.language)
        self.questions.keep(request.question(asker, self._codes()), at)
        log.info("mo.ask_late", office=request.service.asks.of)
        return self._untold(request, "service_late", asker.language)

    def _asker(self, asked: Asked, request: Request, value: str) -> Asker:
        # no day: it is one text however late it comes again
        effect = ask_key(asked.effect, "", request.service.asks.of, value)
        return Asker(asked.msisdn, effect, asked.language, effect)

    def _told(self, request: Request, text: str) -> Answer:
        return Answer("service_answer", {"jibu": text}, request.service.institution)

    def _untold(self, request: Request, name: str, language: str) -> Answer:
        service = request.service
        return Answer(name, {"huduma": service.title(language)}, service.institution)

    def _codes(self) -> dict[str, str]:
        return {"msimbo": self.letters.service_code, "namba_fupi": self.letters.short_code}

    def _written(self, asked: Asked, answer: Answer) -> Notification:
        named = {"neno": asked.command.word, "taasisi": (answer.institution or "").upper()}
        values = {"jibu": "", **named, **answer.values}
        language = answer.language or asked.language
        text = self.letters.shortened(answer.name, language, values, "jibu")
        effect = f"{asked.effect}:answer"
        written = self.letters.answer(effect, answer.institution, asked.msisdn, text, asked.at)
        return replace(written, confirms=asked.command.verb in _CONFIRMED)
