"""Writes the text that answers one."""

from dataclasses import dataclass, replace
from typing import Final

from ussdapp.core.keywords import Verb
from ussdapp.core.letters import Letters
from ussdapp.core.notification import Notification
from ussdapp.usecases.receive_mo.asked import Answer, Asked

# what must be confirmed: a citizen who is not told that the texts end writes again, or complains;
# and a reference nobody hears of helps nobody
_CONFIRMED: Final = frozenset({Verb.OPT_OUT, Verb.OPT_IN})
FILED: Final = "case_received"


@dataclass(frozen=True, slots=True)
class Writing:
    """The same text written twice is one notification, by the effect of what it answers."""

    letters: Letters

    def written(self, asked: Asked, answer: Answer) -> Notification:
        """The answer, shortened to what one text holds."""
        named = {"neno": asked.command.word, "taasisi": (answer.institution or "").upper()}
        values = {"jibu": "", **named, **answer.values}
        language = answer.language or asked.language
        text = self.letters.shortened(answer.name, language, values, "jibu")
        effect = f"{asked.effect}:answer"
        written = self.letters.answer(effect, answer.institution, asked.msisdn, text, asked.at)
        confirms = asked.command.verb in _CONFIRMED or answer.name == FILED
        return replace(written, confirms=confirms)
