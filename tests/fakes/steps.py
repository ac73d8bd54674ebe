"""Sessions that count their steps, in memory, and a world that uses them."""

from dataclasses import dataclass, field
from typing import Any, cast

from tests.fakes.dialogue import FakeSessions, World
from ussdapp.core.funnel import Step
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Record
from ussdapp.ports import After
from ussdapp.usecases.answer_ussd import AnswerUssd
from ussdapp.usecases.answer_ussd.keeping import Steps


class FakeSteps(FakeSessions):
    """Keeps usecases.answer_ussd.keeping.Steps; `counted` is what it would add up."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[Step] = []

    def begin(
        self, key: str, record: Record, citizen: Msisdn, step: Step | None = None
    ) -> tuple[Record | None, Record | None]:
        told = super().begin(key, record, citizen)
        if told == (None, None) and step is not None:
            self.counted.append(step)
        return told

    def exchange(
        self, key: str, before: Record | None, after: After, step: Step | None = None
    ) -> Record | None:
        again = self.records.get(key) == after.record
        kept = super().exchange(key, before, after)
        if kept is None and not again and step is not None:
            self.counted.append(step)
        return kept

    def follow(self, key: str, before: Record, after: After, step: Step) -> Record | None:
        if not self.down and key not in self.records:
            self.trips += 1
            raise LookupError
        return self.exchange(key, before, after, step)


@dataclass
class CountedWorld(World):
    """A world whose sessions count."""

    sessions: Any = field(default_factory=FakeSteps)

    def process(self) -> AnswerUssd:
        """One web process over these stores, counting."""
        plain = super().process()
        return AnswerUssd(
            sessions=self.sessions,
            steps=cast("Steps", self.sessions),
            dialogues=plain.dialogues,
            cases=plain.cases,
            menus=plain.menus,
            letters=plain.letters,
            doorbells=plain.doorbells,
            new_reference=plain.new_reference,
            hints=plain.hints,
            offers=plain.offers,
            offices=plain.offices,
            questions=plain.questions,
        )
