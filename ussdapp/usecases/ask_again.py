"""What an institution did not answer in time is asked again; the citizen is told once, by SMS.

A look-up may be asked any number of times. A summary whose answer was lost may have been taken: it
is posted again once, with the request id of the first, and after that the citizen is told that
nobody knows, rather than that it failed. A text for an institution's own keyword is asked here for
the first time, and may have been taken likewise.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.back_office import (
    MOST_POSTS,
    POSTS,
    Claimed,
    Ended,
    LookedUp,
    Mode,
    Question,
    again_at,
)
from ussdapp.core.letters import ANSWER_PARTS, Letters
from ussdapp.core.notification import Notification
from ussdapp.core.parts import fits
from ussdapp.core.screen_text import cut, readable, width
from ussdapp.core.services import KEYWORD_OFFICE
from ussdapp.ports import (
    BackOffices,
    Doorbells,
    Handovers,
    NobodysKeyword,
    Notifications,
    OfficeGarbled,
    OfficeLate,
    OfficeUnavailable,
    Questions,
)

log = structlog.get_logger()

TWO_PARTS: Final = 2 * 153  # septets, where no escape stands across the seam
_GAP: Final = re.compile(r"\{([a-z0-9_]+)\}")  # detail_01 has digits
_SMS: Final = "sms"  # the detail in which an office may say it all in one line

# whoever asked in a dialogue dials again, whoever wrote writes again
_FAILED: Final = {
    Mode.LOOKUP: "late_failed",
    Mode.SUMMARY: "late_failed",
    Mode.KEYWORD: "keyword_failed",
}

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """The sentence of `menus/sms.toml` that tells an answer, "" for none, and the answer itself."""

    name: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Asks one claimed question. Raises Unavailable, after which the claim lapses by itself."""

    offices: BackOffices
    questions: Questions
    letters: Letters
    doorbells: Doorbells
    handovers: Handovers | None = None
    notifications: Notifications | None = None

    def __call__(self, claimed: Claimed, clock: Clock) -> None:
        """Ends the question with one notification, or postpones it."""
        if claimed.posts > MOST_POSTS:  # this process or another died while it was asked
            return self._fail(claimed, "late_unconfirmed", clock())
        try:
            heard = self._heard(claimed.question)
        except (OfficeLate, OfficeGarbled):
            return self._unheard(claimed, claimed.posts, clock())
        except NobodysKeyword:
            return self._fail(claimed, "keyword_failed", clock())
        except OfficeUnavailable:
            not_taken = claimed.posts - (claimed.question.mode in POSTS)
            return self._unheard(claimed, not_taken, clock())
        return self._end(claimed, Ended.ANSWERED, heard, clock())

    def _heard(self, question: Question) -> Heard:
        if question.mode is Mode.LOOKUP:
            answer = self.offices.look_up(question.office, question.asked["data"], question.asker)
            return looked_up(question, answer)
        if question.mode is Mode.KEYWORD:
            return self._handed(question)
        taken = self.offices.hand_in(question.office, question.asked, question.asker)
        if taken.sms_text:
            return Heard("late_answer", taken.sms_text)
        return Heard("late_received" if taken.status else "late_refused")

    def _handed(self, question: Question) -> Heard:
        if self.handovers is None:
            raise NobodysKeyword("no texts are handed over here")
        keyword = question.office.removeprefix(KEYWORD_OFFICE)
        whose, asker = question.institution, question.asker
        answer = self.handovers.hand_over(keyword, whose, question.asked, asker)
        return Heard("service_answer", answer) if answer else Heard("")

    def _unheard(self, claimed: Claimed, posts: int, now: datetime) -> None:
        if posts >= MOST_POSTS:
            return self._fail(claimed, "late_unconfirmed", now)
        due = again_at(claimed, now)
        if due is None:
            failed = _FAILED[claimed.question.mode]
            return self._fail(claimed, "late_unconfirmed" if posts else failed, now)
        if claimed.question.mode is Mode.KEYWORD and claimed.tries == 1:
            self._tell_waiting(claimed.question, now)
        return self.questions.postpone(claimed, due, posts)

    def _tell_waiting(self, question: Question, now: datetime) -> None:
        """Who wrote a keyword has heard nothing yet."""
        if self.notifications is not None:
            told = self._told(question, "waits", Heard("service_late"), now)
            if self.notifications.accept(told):
                self.doorbells.ring(told.channel)

    def _fail(self, claimed: Claimed, name: str, now: datetime) -> None:
        self._end(claimed, Ended.FAILED, Heard(name), now)

    def _end(self, claimed: Claimed, how: Ended, heard: Heard, now: datetime) -> None:
        question = claimed.question
        told = self._told(question, "late", heard, now) if heard.name else None
        if self.questions.end(claimed, how, told, now):
            if told:
                self.doorbells.ring(told.channel)
            log.info("question.ended", office=question.office, how=how.value, tries=claimed.tries)

    def _told(self, question: Question, which: str, heard: Heard, now: datetime) -> Notification:
        # an answer to a text may be answered by a robot with another: it is capped
        written = self.letters.answer if question.mode is Mode.KEYWORD else self.letters.receipt
        asker, text = question.asker, self._written(question, heard)
        effect = f"{asker.effect}:{which}"
        return written(effect, question.institution, asker.msisdn, text, now)

    def _written(self, question: Question, heard: Heard) -> str:
        """At most two parts: the answer is cut to the room its sentence leaves. An escape goes
        whole into the second part, which then has one septet less."""
        language, said = question.asker.language, {"huduma": readable(question.title)}
        words = " ".join(readable(heard.words).split())
        room = TWO_PARTS - width(self.letters.say(heard.name, language, {**said, "jibu": ""}))
        while True:
            text = self.letters.say(heard.name, language, {**said, "jibu": cut(words, room)})
            if room <= 0 or fits(text, ANSWER_PARTS):
                return text
            room -= 1


def looked_up(question: Question, answer: LookedUp) -> Heard:
    """A look-up's answer in words: the screen's sentence filled in, the office's own line, or its
    details one after the other."""
    details = answer.details
    sentence = question.sentences.get("found" if answer.success else "missing", "")
    if sentence:
        named = {question.names.get(name, name): value for name, value in details.items()}
        words = _GAP.sub(lambda gap: named.get(gap.group(1), ""), sentence)
    else:
        words = details.get(_SMS) or ", ".join(value for value in details.values() if value)
    return Heard("late_answer", words) if words else Heard("late_missing")
