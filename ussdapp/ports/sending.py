"""What submitting on a channel needs, and how each row may end there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Lane

Taken = tuple[tuple[int, str], ...]  # part, from 1, and its message id, "" where none was told


class Submission(NamedTuple):
    """A claimed and journaled row: what one channel is now to submit, but for the parts that the
    operator has `taken` already. `window` tells the claim it came with; from `expires_at` on not an
    octet of it is written."""

    id: int
    attempt: int
    msisdn: Msisdn
    text: str
    sender_id: str
    window: int = 0
    taken: frozenset[int] = frozenset()
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Submission({self.id}, attempt {self.attempt})"  # no MSISDN, no words


class Submitted(NamedTuple):
    """The operator took it; one message id, as it spelt them, for each part that was not taken
    before, in their order; "" for one it did not tell. Fewer where it tells one for the whole."""

    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never again: bad MSISDN, barred sender ID. `code` is the operator's. As in the other
    outcomes, `taken` are the parts it took all the same."""

    code: str
    taken: Taken = ()


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not taken, or not all of it; may be tried again after `pause` seconds. `counts` is false
    where the operator only asked for patience (throttled, queue full, unbound)."""

    code: str
    pause: float
    counts: bool = False
    taken: Taken = ()


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It left, or may have left, and no answer came that can be read."""

    code: str
    taken: Taken = ()


Outcome = Submitted | Rejected | Deferred | InDoubt
Answered = tuple[Submission, Outcome]


class Sending(Protocol):
    """A channel's ability to submit."""

    name: str
    window: int

    def ready(self) -> bool:
        """Whether a submit now has a chance (a bind is up)."""
        ...

    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        """One outcome a row, in order; what is express overtakes bulk. What it does not know is
        InDoubt; it does not raise."""
        ...


class BoundSending(Sending, Protocol):
    """A channel as its worker holds it; where there is no bind, keeping it is nothing."""

    def open(self, on_receipts: Any, on_mos: Any, answering: Any) -> None:
        """Says who keeps what comes in on it, and who answers USSD."""
        ...

    def keep_bound(self) -> float:
        """Binds if need be; returns the seconds after which to call again."""
        ...

    def late(self) -> Sequence[Answered]:
        """What was answered after all since it was asked last, of what was InDoubt."""
        ...

    def share(self, binds: int) -> None:
        """So many binds, this one among them, use the channel's TPS together."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class Awaited:
    """What an operator took at that time under that message id, and has not reported on."""

    message_id: str
    msisdn: Msisdn
    taken_at: datetime


@runtime_checkable
class AsksReports(Protocol):
    """A channel whose operator tells what became of a text only when it is asked."""

    def expect(self, awaited: Sequence[Awaited], now: datetime) -> None:
        """Those that an earlier process submitted are asked for as well."""
        ...
