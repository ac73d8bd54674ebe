"""Has the beginning of a dialogue recorded, and the language its citizen chose."""

from dataclasses import dataclass

import structlog

from ussdapp.ports import Dialogues, Unavailable
from ussdapp.usecases.answer_ussd.call import Call

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Beginning:
    """Without PostgreSQL a dialogue begins all the same: what has an effect asks later on whether
    its beginning is known."""

    dialogues: Dialogues

    def recorded(self, call: Call) -> str | None:
        """The language to begin in, None where the beginning could not be recorded."""
        keyed = call.keyed
        try:
            return self.dialogues.begin(call.key, keyed.channel, keyed.msisdn, call.at)
        except Unavailable:
            log.warning("ussd.beginning_unrecorded", channel=keyed.channel)
            return None

    def known(self, call: Call) -> bool:
        """Whether it is recorded. Raises Unavailable."""
        if self.dialogues.began_at(call.key) is not None:
            return True
        if not call.keeps:
            # Redis is down, so nobody would remember that the screen was shown once more
            raise Unavailable("sessions")
        return False

    def language(self, call: Call) -> str:
        """The language its citizen chose last. Raises Unavailable."""
        return self.dialogues.language(call.keyed.msisdn)

    def remember(self, call: Call, language: str) -> None:
        """The language is the citizen's from now on; the dialogue goes on in it in any case."""
        try:
            self.dialogues.remember_language(call.keyed.msisdn, language, call.at)
        except Unavailable:
            log.warning("ussd.language_forgotten", channel=call.keyed.channel)
