"""Files what a text says, adds to it, and tells how it stands."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ussdapp.core.case import Kind, NewCase, Visibility
from ussdapp.core.filing import day_of
from ussdapp.core.reference import DRAWS, NotAReference, Reference
from ussdapp.core.session import MOST_TRIES
from ussdapp.ports import (
    Addition,
    CaseClosed,
    Cases,
    Institutions,
    ReferenceTaken,
    Tries,
    Unavailable,
)
from ussdapp.usecases.receive_mo.asked import Answer, Asked
from ussdapp.usecases.receive_mo.writing import FILED, Writing


@dataclass(frozen=True, slots=True)
class Filing:
    """Knows a citizen's cases. After MOST_TRIES wrong references in a day every reference is a
    wrong one; without `tries` none is counted. All raise Unavailable."""

    cases: Cases
    institutions: Institutions
    writing: Writing
    new_reference: Callable[[], Reference]
    tries: Tries | None

    def file(self, asked: Asked) -> Answer:
        """The reference of the case that the text is now."""
        if not asked.command.words:
            return Answer("feedback_incomplete")
        institution = self.institutions.named(asked.command.subject)
        if institution is None:
            return Answer("institution_unknown")
        for _ in range(DRAWS):
            case = self._case(asked, institution)
            try:
                # committed together: a reference nobody hears of helps nobody
                filed = self.cases.file(case, self.writing.written(asked, self._filed(asked, case)))
            except ReferenceTaken:
                continue
            return self._filed(asked, replace(case, reference=filed))
        raise Unavailable("every reference number drawn was taken")

    def add(self, asked: Asked) -> Answer:
        """Whether the text is kept with the case it names."""
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

    def status(self, asked: Asked) -> Answer:
        """How the case stands that the text names, and what staff answered."""
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
        status = self.writing.letters.say(case.status.value, asked.language)
        values = {"kumbukumbu": str(reference), "hali": status, "jibu": case.answer}
        name = "case_status_answered" if case.answer else "case_status"
        return Answer(name, values, case.institution)

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
        kind = self.writing.letters.say(case.kind.value, asked.language)
        values = {"aina": kind, "kumbukumbu": str(case.reference)}
        return Answer(FILED, values, case.institution)

    def _tried(self, asked: Asked, wrong: str = "") -> int:
        """How many wrong references the citizen tried today; 0 where nobody knows."""
        if self.tries is None:
            return 0
        try:
            return self.tries.tried(asked.msisdn, day_of(asked.at), wrong)
        except Unavailable:
            return 0
