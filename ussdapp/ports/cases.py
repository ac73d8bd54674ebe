"""What filing, following, answering and handing over cases needs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ussdapp.core.case import CaseView, NewCase, Reply, Transfer, Transferred
from ussdapp.core.case_history import CaseHistory, CasePage, Sought
from ussdapp.core.inbound import Institution
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference


class ReferenceTaken(Exception):
    """Another case has that reference number; draw again."""


class NoSuchCase(LookupError):
    """The institution has no case with that reference number."""


class CaseClosed(Exception):
    """A closed case takes no reply."""


class NoSuchInstitution(LookupError):
    """Nobody has that short name."""


class SameInstitution(ValueError):
    """It has the case already."""


@dataclass(frozen=True, slots=True, repr=False)
class Addition:
    """Words that the MSISDN adds to the case it opened; `effect` makes them unique."""

    effect: str
    reference: Reference
    msisdn: Msisdn
    words: str
    at: datetime


class Replies(Protocol):
    """Keeps what institutions answer, with what is told of it, all or nothing."""

    def reply(
        self, reply: Reply, notify: Callable[[Msisdn, str, CaseView], Notification]
    ) -> tuple[CaseView, str | None]:
        """Commits the reply, its event and the notification `notify(msisdn, language, case)`
        makes of it, unless the case is anonymous; the same effect again changes nothing while the
        institution holds the case. Returns the case and the channel that now has work. Raises
        NoSuchCase, CaseClosed."""
        ...


class Transfers(Protocol):
    """Hands cases from one institution to another. Raises Unavailable."""

    def transfer(
        self, transfer: Transfer, notify: Callable[[Msisdn, str], Notification]
    ) -> tuple[Transferred, str | None]:
        """Commits that the case, as received, is the other institution's alone, and the
        notification `notify(msisdn, language)` makes of it, unless the case is anonymous; the
        last transfer of a case again changes nothing. Returns what became of it and the channel
        that now has work. Raises NoSuchCase, CaseClosed, NoSuchInstitution, SameInstitution."""
        ...


class CaseHistories(Protocol):
    """Shows institutions their cases; of another's there is nothing. Raises Unavailable."""

    def one(self, institution: str, reference: Reference) -> CaseHistory | None:
        """A case the institution has."""
        ...

    def is_cursor(self, shown: str) -> bool:
        """Whether a page may begin there."""
        ...

    def page(self, institution: str, sought: Sought, cursor: str | None, limit: int) -> CasePage:
        """The institution's cases older than the cursor, at most `limit` of them."""
        ...


class Cases(Replies, Protocol):
    """Keeps cases, with their events and what is told of them, all or nothing."""

    def file(self, case: NewCase, receipt: Notification | None) -> Reference:
        """Commits case, event and receipt notification together; the same effect again returns
        the first reference and keeps nothing. Raises ReferenceTaken, LookupError (institution)."""
        ...

    def view(self, reference: Reference, msisdn: Msisdn) -> CaseView | None:
        """The case if this MSISDN opened it; another's and none look the same."""
        ...

    def add(self, addition: Addition) -> CaseView | None:
        """Commits the words as an event of the case; the same effect again changes nothing. None
        where this MSISDN opened no such case. Raises CaseClosed."""
        ...


class Institutions(Protocol):
    """Knows the institutions."""

    def all(self) -> tuple[Institution, ...]:
        """Every institution by short name."""
        ...

    def named(self, short_name: str) -> str | None:
        """The short name as kept, for any spelling of its case; None when nobody has it."""
        ...
