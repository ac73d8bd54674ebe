"""Has an institution answer: what one of its services asks, or a text of its own keyword."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.back_office import Asker
from ussdapp.core.filing import ask_key
from ussdapp.core.keywords import Verb, fields
from ussdapp.core.letters import Letters
from ussdapp.core.services import KEYWORD_OFFICE, Request, Services, handed
from ussdapp.ports import BackOffices, Handovers, OfficeLate, OfficeUnavailable, Questions
from ussdapp.usecases.receive_mo.asked import Answer, Asked

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Serving:
    """Without `offices` no institution is connected; without `questions` none is asked later, nor
    has a text handed over, as without `handovers`. Raises Unavailable."""

    services: Services
    letters: Letters
    offices: BackOffices | None
    questions: Questions | None
    handovers: Handovers | None

    def handed_over(self, asked: Asked) -> tuple[str, str] | None:
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

    def serve(self, asked: Asked) -> Answer:
        """What the service says whose keyword begins the text."""
        request = self.services.asked(asked.command)
        return self._answer(asked, request) if request else Answer("not_understood")

    def _answer(self, asked: Asked, request: Request) -> Answer:
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
