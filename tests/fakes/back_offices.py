"""What asking again needs of the world, in memory: each keeps the promise of its port."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ussdapp.core.back_office import (
    FIRST_PAUSE,
    POSTS,
    Asker,
    Claimed,
    Ended,
    HandedIn,
    LookedUp,
    Mode,
    Question,
    Relayed,
)
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.routing import Route, Routes
from ussdapp.core.texts import Texts

NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ASHA = Msisdn("255754000001")
Answer = LookedUp | HandedIn | Exception
_HELD = timedelta(seconds=90)


class FakeBackOffices:
    """Keeps ports.BackOffices; says what `says` holds, the last of it for ever."""

    def __init__(self, *says: Answer) -> None:
        self.says = list(says)
        self.asked: list[tuple[str, Mapping[str, str], Asker]] = []

    def look_up(self, office: str, data: str, asker: Asker) -> LookedUp:
        answer = self._next(office, {"data": data}, asker)
        assert isinstance(answer, LookedUp)
        return answer

    def hand_in(self, office: str, answers: Mapping[str, str], asker: Asker) -> HandedIn:
        answer = self._next(office, answers, asker)
        assert isinstance(answer, HandedIn)
        return answer

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        raise NotImplementedError

    def _next(self, office: str, told: Mapping[str, str], asker: Asker) -> Answer:
        self.asked.append((office, told, asker))
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return said


@dataclass
class Kept:
    question: Question
    asked_at: datetime
    due: datetime
    posts: int
    tries: int = 0
    ended: Ended | None = None


@dataclass
class FakeQuestions:
    """Keeps ports.Questions."""

    kept: list[Kept] = field(default_factory=list)
    told: list[Notification] = field(default_factory=list)

    def keep(self, question: Question, at: datetime) -> bool:
        if any(one.question.asker.effect == question.asker.effect for one in self.kept):
            return False
        summary = question.mode is Mode.SUMMARY
        due = at + FIRST_PAUSE if summary else at
        self.kept.append(Kept(question, at, due, int(summary)))
        return True

    def claim(self, busy: Collection[str], now: datetime) -> Claimed | None:
        for number, one in enumerate(self.kept):
            if one.ended is None and one.due <= now and one.question.office not in busy:
                one.tries += 1
                one.posts += one.question.mode in POSTS
                one.due = now + _HELD
                return Claimed(number, one.question, one.tries, one.posts, one.asked_at)
        return None

    def postpone(self, claimed: Claimed, due: datetime, posts: int) -> None:
        one = self.kept[claimed.id]
        if one.tries == claimed.tries and one.ended is None:
            one.due, one.posts = due, posts

    def end(self, claimed: Claimed, how: Ended, told: Notification | None, now: datetime) -> bool:
        one = self.kept[claimed.id]
        if one.ended is not None:
            return False
        one.ended = how
        if told is not None:
            self.told.append(told)
        return True


def with_language(question: Question, language: str) -> Question:
    return replace(question, asker=replace(question.asker, language=language))


class Rung:
    """Keeps ports.Doorbells."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, channel: str) -> None:
        self.rung.append(channel)


def real_letters() -> Letters:
    """The sentences that ship."""
    path = Path(__file__).parents[2] / "menus" / "sms.toml"
    texts = Texts(tomllib.loads(path.read_text("utf-8")))
    return Letters(texts, Routes((Route("", "sandbox"),)), "15200", "*152*00#")
