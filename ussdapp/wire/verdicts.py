"""Knows which outcome an SMSC's answer is, by a channel's table of refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, cast

from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted
from ussdapp.wire.fields import are_plain_ids, kept_id
from ussdapp.wire.window import Answer, Answered, Nacked, Unwritten

QUEUE_FULL: Final = "ESME_RMSGQFUL"
_NACK: Final = "generic_nack "
_LONGEST_PAUSE: Final = 300.0  # seconds
# as Submitted((...,)), in a third of the time
_taken: Final = cast("Callable[[tuple[tuple[str]]], Submitted]", partial(tuple.__new__, Submitted))
_UNBOUND: Final = Deferred("unbound", 5.0)
_NO_ANSWER: Final = InDoubt("no_answer")


class Verdicts:
    """What became of submits. `statuses` are outcomes by command_status; what it lacks is doubt."""

    def __init__(self, statuses: Mapping[int, Outcome]) -> None:
        self._statuses = statuses

    def outcomes(self, answers: Sequence[Answer]) -> list[Outcome]:
        """One for each answer, in order."""
        if set(map(type, answers)) == {Answered}:
            told = cast("Sequence[Answered]", answers)
            ids = [message_id for _, message_id in told]
            # a bulk, all of it taken: its ids are proven together
            if not any(status for status, _ in told) and are_plain_ids(ids):
                return list(map(_taken, zip(zip(ids))))
        return list(map(self.outcome, answers))

    def outcome(self, answer: Answer) -> Outcome:
        """The outcome of one submit_sm."""
        if type(answer) is Answered:
            status, message_id = answer
            if status:
                return self._statuses.get(status, InDoubt(f"{status:#x}"))
            # taken; without an id no receipt will ever find it
            return Submitted((kept_id(message_id) if message_id else "",))
        if isinstance(answer, Nacked):
            # not understood, so not taken, whatever the status
            code = answer.command_status
            waits = self._statuses.get(code)
            return waits if isinstance(waits, Deferred) else Rejected(f"{_NACK}{code:#x}")
        return _UNBOUND if isinstance(answer, Unwritten) else _NO_ANSWER


def is_nack(outcome: Outcome) -> bool:
    """Whether the SMSC could not read it, and gave no reason to wait."""
    return isinstance(outcome, Rejected) and outcome.code.startswith(_NACK)


def patient(window: Sequence[Submission], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """The outcomes of the rows; a full queue is left alone for longer every time it is met."""
    if not any(type(outcome) is Deferred for outcome in outcomes):
        return outcomes
    return [
        replace(outcome, pause=min(_LONGEST_PAUSE, outcome.pause * submission.attempt))
        if isinstance(outcome, Deferred) and outcome.code == QUEUE_FULL
        else outcome
        for submission, outcome in zip(window, outcomes, strict=True)
    ]
