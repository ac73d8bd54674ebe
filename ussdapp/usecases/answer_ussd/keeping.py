"""Keeps what is known of a dialogue as long as Redis is there, and goes on without it."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from ussdapp.core.filing import day_of
from ussdapp.core.funnel import OFFER, Seen, Step
from ussdapp.core.menu import Menu
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.resume import draft_for
from ussdapp.core.session import Record, Session, Turn
from ussdapp.ports import After, Sessions, Unavailable
from ussdapp.usecases.answer_ussd.call import Call
from ussdapp.usecases.answer_ussd.missed import Miss, Missed

TOLD_AT_ONCE: Final = 4  # misses that one callback tells Redis, beside its own


class Steps(Protocol):
    """Keeps ports.Sessions, and counts each step with the round trip that keeps its record: once,
    however often that record is exchanged. Raises Unavailable."""

    def begin(
        self, key: str, record: Record, citizen: Msisdn, step: Step | None = None
    ) -> tuple[Record | None, Record | None]:
        """As Sessions.begin."""
        ...

    def exchange(
        self, key: str, before: Record | None, after: After, step: Step | None = None
    ) -> Record | None:
        """As Sessions.exchange."""
        ...

    def follow(self, key: str, before: Record, after: After, step: Step) -> Record | None:
        """As Sessions.exchange, but where nothing is kept changes nothing and raises
        LookupError."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """Reads and exchanges records for one callback; once Redis is away, for the rest of it.
    Without `steps` nothing is counted. What Redis missed it is told as soon as it is back, before
    the next key of that dialogue is read: then a record is never more than that key behind."""

    sessions: Sessions
    steps: Steps | None = None
    missed: Missed = field(default_factory=Missed)

    def kept(self, call: Call) -> Record | None:
        """What is kept of the callback's dialogue."""
        try:
            return self.sessions.kept(call.key)
        except Unavailable:
            call.keeps = False
            return None

    def caught_up(self, call: Call) -> Record | None:
        """What is kept of a dialogue that Redis missed a key of, or would be if Redis were there;
        None of any other."""
        miss = self.missed.take(call.key, call.at)
        if miss is None:
            return None
        try:
            return self.sessions.exchange(miss.key, miss.before, miss.after) or miss.after.record
        except Unavailable:
            call.keeps = False
            self.missed.note(miss)
            return miss.after.record

    def begun(self, call: Call, record: Record, first: str) -> tuple[Record | None, Record | None]:
        """What is kept already, or the citizen's draft; where there is neither, the record is
        kept, with that first screen."""
        try:
            if self.steps is None:
                return self.sessions.begin(call.key, record, call.keyed.msisdn)
            step = Step(_day(call, record), Seen(call.keyed.channel, record.language, first))
            return self.steps.begin(call.key, record, call.keyed.msisdn, step)
        except Unavailable:
            call.keeps = False
            return None, None

    def exchange(
        self,
        call: Call,
        change: tuple[Record | None, Record],
        towards: tuple[Menu, Turn],
        left: Session | None = None,
    ) -> Record | None:
        """Keeps the second record in the place of the first, and what may be resumed of its turn;
        returns what another kept in its place. `left` is where the last key was keyed."""
        if call.passing:
            return None
        before, record = change
        after = After(record, call.keyed.msisdn, draft_for(*towards))
        if call.keeps:
            try:
                return self._exchanged(call, before, after, _step(call, change, towards[1], left))
            except Unavailable:
                call.keeps = False
        self.missed.note(Miss(call.key, before, after, call.at))
        return None

    def _exchanged(
        self, call: Call, before: Record | None, after: After, step: Step
    ) -> Record | None:
        if self.steps is None:
            kept = self.sessions.exchange(call.key, before, after)
        else:
            kept = self.steps.exchange(call.key, before, after, step)
        self._tell_missed(call)
        return kept

    def _tell_missed(self, call: Call) -> None:
        """Redis is there: it is told what it missed of other dialogues."""
        for miss in self.missed.some(TOLD_AT_ONCE, call.at):
            try:
                self.sessions.exchange(miss.key, miss.before, miss.after)
            except Unavailable:
                self.missed.note(miss)
                return

    def follow(
        self,
        call: Call,
        change: tuple[Record, Record],
        towards: tuple[Menu, Turn],
        left: Session,
    ) -> Record | None:
        """As `exchange`, but raises LookupError where nothing is known to be kept."""
        if self.steps is None:
            kept = self.kept(call)
            if kept is None:
                raise LookupError("no record is kept")
            return self.exchange(call, change, towards, left) if kept in change else kept
        after = After(change[1], call.keyed.msisdn, draft_for(*towards))
        try:
            step = _step(call, change, towards[1], left)
            return self.steps.follow(call.key, change[0], after, step)
        except Unavailable:
            call.keeps = False
            raise LookupError("Redis is away") from None


def _step(
    call: Call, change: tuple[Record | None, Record], turn: Turn, left: Session | None
) -> Step:
    """What is counted of a callback: no key, no citizen."""
    before, record = change
    session, channel = turn.session, call.keyed.channel
    screen = OFFER if record.offered else session.screen
    seen = Seen(channel, left.language, left.screen) if left else None
    if before is not None and before.offered:
        seen = Seen(channel, session.language, OFFER)
    return Step(
        day=_day(call, record),
        shown=Seen(channel, session.language, screen),
        ends=turn.ends,
        left=seen,
        wrong=record.offered or (left is not None and session.wrong > left.wrong),
    )


def _day(call: Call, record: Record) -> str:
    return record.day or day_of(call.at)
