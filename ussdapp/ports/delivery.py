"""What the journaled sender needs: the queue's truth, leases, receipts, doorbells."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ussdapp.core.inbound import Lease, Receipt
from ussdapp.core.notification import Lane, Notification
from ussdapp.ports.sending import Answered, Submission


class Notifications(Protocol):
    """Accepts what is to be delivered, once each."""

    def accept(self, notification: Notification) -> bool:
        """Commits it as queued, its effect once. False when it is automatic and the MSISDN has had
        its share: then it is not accepted."""
        ...


class Journal(Protocol):
    """The journaled sender's truth: claims, attempts and answers, a window of rows at a time."""

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: Sequence[Answered] = (),
    ) -> list[Submission]:
        """Commits up to `most` due rows of a lane (None: of the first that has any) as
        `submitting`, highest class first and in turn between those who sent them, after expiring
        what is too old and rejecting what was opted out of; either is in doubt instead where an
        earlier copy is. What its MSISDN got too much of lately waits. With it goes what was
        `answered`, as by `record`: both or neither. Raises Fenced."""
        ...

    def record(self, lease: Lease, window: Sequence[Answered], now: datetime) -> None:
        """Commits every row's answer, unless it had one; a late one as well. While another copy
        is in doubt a refusal is not final: the row is in doubt."""
        ...

    def settle(self, now: datetime) -> int:
        """Returns to `queued`, once, what is in doubt and due for its class's one further copy."""
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

    def renew(self, lease: Lease, now: datetime, *, bound: bool = True, share: float = 1.0) -> bool:
        """Tells that the holder lives and how its bind fares; False when a higher epoch ended the
        lease."""
        ...

    def bury(self, now: datetime) -> int:
        """Ends the leases of holders that died and puts their `submitting` rows in doubt."""
        ...


class Reroutes(Protocol):
    """Moves what waits on a channel that is down or unwell to its fallback."""

    def reroute(self, now: datetime) -> int:
        """Moves some; returns how many notifications."""
        ...


class Expiry(Protocol):
    """Ends what grew too old where nobody claims it."""

    def expire(self, now: datetime) -> int:
        """Ends some; returns how many notifications."""
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
