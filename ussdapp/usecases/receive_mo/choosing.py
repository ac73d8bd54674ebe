"""Remembers what a citizen chooses: from whom texts come, and in which language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.texts import LANGUAGES
from ussdapp.ports import Dialogues, Institutions, OptOuts
from ussdapp.usecases.receive_mo.asked import Answer, Asked


@dataclass(frozen=True, slots=True)
class Choosing:
    """Knows opt-outs, of one institution or of all, and languages. All raise Unavailable."""

    opt_outs: OptOuts
    institutions: Institutions
    dialogues: Dialogues

    def opt_out(self, asked: Asked) -> Answer:
        """That the texts end."""
        return self._opt(asked, self.opt_outs.opt_out, "opted_out", "opted_out_of")

    def opt_in(self, asked: Asked) -> Answer:
        """That they go on."""
        return self._opt(asked, self.opt_outs.opt_in, "opted_in", "opted_in_to")

    def language(self, asked: Asked) -> Answer:
        """In the language that was chosen, that it was."""
        language = asked.command.subject.lower()
        if language not in LANGUAGES:
            return Answer("not_understood")
        self.dialogues.remember_language(asked.msisdn, language, asked.at)
        return Answer("language_kept", language=language)

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
