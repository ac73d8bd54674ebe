"""What use cases need of the world, each a promise that a fake and the real one keep alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ussdapp.core.case import CaseView, NewCase, Reply
from ussdapp.core.inbound import Institution, KeyHolder, Lease, Mo, Receipt
from ussdapp.core.menu import Menu
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference
from ussdapp.core.session import Record


class Unavailable(Exception):
    """A store did not answer in time: nothing is known to have been kept."""


class ReferenceTaken(Exception):
    """Another case has that reference number; draw again."""


class NoSuchCase(LookupError):
    """The institution has no case with that reference number."""


class CaseClosed(Exception):
    """A closed case takes no reply."""


class Sessions(Protocol):
    """Remembers dialogues, each until its time to live is over. Raises Unavailable."""

    def kept(self, key: str) -> Record | None:
        """What is remembered under that key."""
        ...

    def exchange(self, key: str, before: Record | None, after: Record) -> Record | None:
        """One round trip: keeps `after` and returns None when what is kept equals `before` or
        `after`, or nothing is kept; otherwise changes nothing and returns what is kept."""
        ...


class Menus(Protocol):
    """Serves one menu to new dialogues and remembers those that running ones began with."""

    def current(self) -> Menu:
        """The menu that new dialogues get."""
        ...

    def pinned(self, version: str) -> Menu | None:
        """The menu of that version, or None when it is forgotten."""
        ...


class Dialogues(Protocol):
    """Knows durably that a dialogue began, and each citizen's language. Raises Unavailable."""

    def begin(self, key: str, channel: str, msisdn: Msisdn, at: datetime) -> str:
        """Records the beginning, a later one replacing one older than ten minutes; returns the
        citizen's language, `sw` unless another was remembered."""
        ...

    def began_at(self, key: str) -> datetime | None:
        """When that dialogue began, or None when no beginning was recorded."""
        ...

    def language(self, msisdn: Msisdn) -> str: ...

    def remember_language(self, msisdn: Msisdn, language: str, at: datetime) -> None: ...


class Cases(Protocol):
    """Keeps cases, with their events and what is told of them, all or nothing."""

    def file(self, case: NewCase, receipt: Notification | None) -> Reference:
        """Commits case, event and receipt notification together; the same effect again returns
        the first reference and keeps nothing. Raises ReferenceTaken, LookupError (institution)."""
        ...

    def view(self, reference: Reference, msisdn: Msisdn) -> CaseView | None:
        """The case if this MSISDN opened it; another's and none look the same."""
        ...

    def reply(
        self, reply: Reply, notify: Callable[[Msisdn, str, CaseView], Notification]
    ) -> tuple[CaseView, str | None]:
        """Commits the reply, its event and the notification `notify(msisdn, language, case)`
        makes of it, unless the case is anonymous; the same effect again changes nothing. Returns
        the case and the channel that now has work. Raises NoSuchCase, CaseClosed."""
        ...


class Mos(Protocol):
    """Keeps every text that came in, before anything is done about it."""

    def keep(self, mo: Mo, at: datetime) -> str:
        """Commits it and returns its effect key; a repeat gets the first one's key."""
        ...


class Notifications(Protocol):
    """Accepts what is to be delivered, once each."""

    def accept(self, notification: Notification) -> bool:
        """Commits it as queued unless its effect was accepted before, or it is automatic and the
        MSISDN has had its share; tells whether it is new."""
        ...


class OptOuts(Protocol):
    """Remembers who wants no more texts; an institution of None means all of them."""

    def opt_out(self, msisdn: Msisdn, institution: str | None, at: datetime) -> None: ...

    def opt_in(self, msisdn: Msisdn, institution: str | None, at: datetime) -> None: ...


class Institutions(Protocol):
    """Knows the institutions, and whose API key is whose."""

    def all(self) -> tuple[Institution, ...]:
        """Every institution by short name."""
        ...

    def named(self, short_name: str) -> str | None:
        """The short name as kept, for any spelling of its case; None when nobody has it."""
        ...

    def holder(self, key: str, at: datetime) -> KeyHolder | None:
        """Whom an unexpired, unrevoked key speaks for."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Submission:
    """A claimed and journaled row: what one channel is now to submit."""

    id: int
    attempt: int
    msisdn: Msisdn
    text: str
    sender_id: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """The operator took it; one message id a part, as it spelt them."""

    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never again: bad MSISDN, barred sender ID. `code` is the operator's."""

    code: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Certainly not taken; may be tried again after `pause` seconds. `counts` is false where the
    operator only asked for patience (throttled, queue full, unbound)."""

    code: str
    pause: float
    counts: bool = False


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It left, or may have left, and no answer came that can be read."""

    code: str


Outcome = Submitted | Rejected | Deferred | InDoubt


class Sending(Protocol):
    """A channel's ability to submit."""

    name: str
    window: int

    def ready(self) -> bool:
        """Whether a submit now has a chance (a bind is up)."""
        ...

    def submit(self, window: Sequence[Submission]) -> Sequence[Outcome]:
        """One outcome a row, in order. What it does not know is InDoubt; it does not raise."""
        ...


class Journal(Protocol):
    """The journaled sender's truth: claims, attempts and answers, a window of rows at a time."""

    def claim(self, lease: Lease, most: int, now: datetime) -> list[Submission]:
        """Commits up to `most` due rows as `submitting` with their attempt, highest class first,
        after expiring what is too old and rejecting what was opted out of. Raises Fenced."""
        ...

    def record(
        self, lease: Lease, window: Sequence[tuple[Submission, Outcome]], now: datetime
    ) -> None:
        """Commits every row's answer; a row that has left `submitting` meanwhile stays."""
        ...

    def settle(self, now: datetime) -> int:
        """Returns to `queued` what is in doubt and due for its class's one further copy."""
        ...

    def due(self, now: datetime) -> list[str]:
        """The channels that have rows due."""
        ...


class Leases(Protocol):
    """Who may submit on a bind: one process at a time."""

    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        """A new epoch, after putting in doubt what an earlier holder left `submitting`; None
        while another holder lives."""
        ...

    def renew(self, lease: Lease, now: datetime) -> bool:
        """Tells that the holder lives; False when a higher epoch ended the lease."""
        ...

    def bury(self, now: datetime) -> int:
        """Ends the leases of holders that died and puts their `submitting` rows in doubt."""
        ...


class Fenced(Exception):
    """The lease was ended by a higher epoch: stop submitting."""


class Receipts(Protocol):
    """An inbox first, then the notifications they settle."""

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Commits them as they came."""
        ...

    def apply(self, now: datetime) -> int:
        """Moves notifications forward by the receipts not yet applied; what matches nothing yet
        stays parked. Returns how many were applied."""
        ...


class Doorbells(Protocol):
    """Tells a channel's worker that there is work. May be lost; never raises."""

    def ring(self, channel: str) -> None: ...
