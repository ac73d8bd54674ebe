"""Knows who waits for what the SMSC answers to submits."""

from collections import Counter
from collections.abc import Callable

from ussdapp.wire import pdu
from ussdapp.wire.pace import Pace
from ussdapp.wire.window import Answer, Answered, UnderWay

OnLate = Callable[[object, Answer], None]


class Responses:
    """Gives answers to the submits under way, and tells the pace how the SMSC takes them. `counts`
    says how many came late, to `on_late`, and how many stray."""

    def __init__(
        self, under_way: UnderWay, pace: Pace, on_late: OnLate | None, counts: Counter[str]
    ) -> None:
        self._under_way, self._pace = under_way, pace
        self._on_late, self._counts = on_late, counts

    def give(self, sequences: list[int], answers: list[Answer]) -> None:
        """Answers by their sequence numbers, in the order they came."""
        strays = self._under_way.answer(sequences, answers)
        for place in strays:
            self._stray(sequences[place], answers[place])
        statuses = [answer.command_status for answer in answers if type(answer) is Answered]
        if taken := statuses.count(pdu.ESME_ROK):
            self._pace.taken(taken)
        if pdu.ESME_RTHROTTLED in statuses:
            self._pace.refused()

    def _stray(self, sequence: int, answer: Answer) -> None:
        """An answer nobody waits for: late, repeated, or never ours."""
        tag = self._under_way.came_late(sequence)
        if tag is None or self._on_late is None:
            self._counts["stray"] += 1
        else:
            self._counts["late"] += 1
            self._on_late(tag, answer)
