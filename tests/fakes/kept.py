"""Stores that keep in memory what the real ones keep in PostgreSQL, for tests of use cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ussdapp.core.case import CaseStatus, CaseView, NewCase, Reply
from ussdapp.core.inbound import Institution, KeyHolder, Lease, Mo, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import AUTOMATIC_WITHIN, Lane, Notification
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.reference import Reference
from ussdapp.ports import (
    Addition,
    Answered,
    CaseClosed,
    Fenced,
    KeptMo,
    NoSuchCase,
    Outcome,
    ReferenceTaken,
    Submission,
    Unavailable,
)


@dataclass
class Kept:
    """One memory behind several ports; `down` makes each of them unavailable."""

    notifications: list[Notification] = field(default_factory=list)
    cases: dict[str, tuple[NewCase, CaseView]] = field(default_factory=dict)
    additions: dict[str, Addition] = field(default_factory=dict)
    mos: dict[str, tuple[Mo, datetime]] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    languages: dict[Msisdn, str] = field(default_factory=dict)
    opted_out: set[tuple[Msisdn, str | None]] = field(default_factory=set)
    rung: list[str] = field(default_factory=list)
    down: bool = False

    def _alive(self) -> None:
        if self.down:
            raise Unavailable("PostgreSQL: fake")

    # ports.Notifications

    def accept(self, notification: Notification) -> bool:
        self._alive()
        since = notification.accepted_at - AUTOMATIC_WITHIN
        recent = [
            n for n in self.notifications
            if n.automatic and n.msisdn == notification.msisdn and n.accepted_at > since
        ]  # fmt: skip
        if notification.effect in {n.effect for n in self.notifications}:
            return True
        if notification.automatic and len(recent) >= notification.share:
            return False
        self.notifications.append(notification)
        return True

    # ports.Cases

    def file(self, case: NewCase, receipt: Notification | None) -> Reference:
        self._alive()
        if case.effect in self.cases:
            return self.cases[case.effect][0].reference
        if case.reference in {filed.reference for filed, _ in self.cases.values()}:
            raise ReferenceTaken
        status = CaseStatus.RECEIVED
        view = CaseView(case.reference, case.institution, case.kind, status, "", case.received_at)
        self.cases[case.effect] = (case, view)
        if receipt:
            self.accept(receipt)
        return case.reference

    def view(self, reference: Reference, msisdn: Msisdn) -> CaseView | None:
        self._alive()
        for case, view in self.cases.values():
            if (case.reference, case.msisdn) == (reference, msisdn):
                return view
        return None

    def reply(
        self, reply: Reply, notify: Callable[[Msisdn, str, CaseView], Notification]
    ) -> tuple[CaseView, str | None]:
        raise NoSuchCase

    def add(self, addition: Addition) -> CaseView | None:
        view = self.view(addition.reference, addition.msisdn)
        if view is None or addition.effect in self.additions:
            return view
        if view.status is CaseStatus.CLOSED:
            raise CaseClosed
        self.additions[addition.effect] = addition
        return view

    # ports.Mos

    def keep(self, mo: Mo, at: datetime, within: timedelta = timedelta(seconds=60)) -> KeptMo:
        self._alive()
        effect = f"mo:{mo.key}"
        if mo.keyed_by_content:
            effect = self._of_content(mo, at, within)
        self.mos.setdefault(effect, (mo, at))
        self.settled.setdefault(effect, "kept")
        return KeptMo(effect, self.settled[effect] != "kept")

    def _of_content(self, mo: Mo, at: datetime, within: timedelta) -> str:
        for effect, (kept, kept_at) in self.mos.items():
            if kept.key == mo.key and kept_at > at - within:
                return effect
        return f"mo:{mo.key}:{at.isoformat()}"

    def settle(
        self, effect: str, status: str, institution: str | None = None, keyword: str = ""
    ) -> None:
        if self.settled[effect] == "kept":
            self.settled[effect] = status

    # ports.Dialogues

    def begin(self, key: str, channel: str, msisdn: Msisdn, at: datetime) -> str:
        return self.language(msisdn)

    def began_at(self, key: str) -> datetime | None:
        return None

    def language(self, msisdn: Msisdn, otherwise: str = "sw") -> str:
        self._alive()
        return self.languages.get(msisdn, otherwise)

    def remember_language(self, msisdn: Msisdn, language: str, at: datetime) -> None:
        self.languages[msisdn] = language

    # ports.OptOuts

    def opt_out(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None:
        self._alive()
        self.opted_out.add((msisdn, institution))

    def opt_in(self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt) -> None:
        self.opted_out.discard((msisdn, institution))

    def whose(self, sender_id: str) -> str | None:
        return self.named(sender_id)

    # ports.Institutions

    def all(self) -> tuple[Institution, ...]:
        return (Institution("ega", "Mamlaka ya Serikali Mtandao", "e-Government Authority"),)

    def named(self, short_name: str) -> str | None:
        return "ega" if short_name.lower() == "ega" else None

    def holder(self, key: str, at: datetime) -> KeyHolder | None:
        return None

    # ports.Doorbells

    def ring(self, channel: str) -> None:
        self.rung.append(channel)


@dataclass
class FakeJournal:
    """Windows to claim, and what was recorded of them; `refusals` records fail first;
    while it is `fenced` another holds the lease."""

    windows: list[list[Submission]]
    recorded: list[Answered] = field(default_factory=list)
    refusals: int = 0
    fenced: bool = False

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: Sequence[Answered] = (),
    ) -> list[Submission]:
        if self.fenced:
            raise Fenced
        if answered:
            self.record(lease, answered, now)
        return self.windows.pop(0)[:most] if self.windows else []

    def record(self, lease: Lease, window: Sequence[Answered], now: datetime) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("PostgreSQL: fake")
        self.recorded += window

    def settle(self, now: datetime) -> int:
        return 0

    def due(self, now: datetime) -> list[str]:
        return ["sandbox"]


@dataclass
class FakeChannel:
    """A channel that answers each row as it is told."""

    outcome: Outcome
    bound: bool = True
    name: str = "sandbox"
    window: int = 10
    submitted: list[Submission] = field(default_factory=list)

    def ready(self) -> bool:
        return self.bound

    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        self.submitted += window
        return [self.outcome for _ in window]


@dataclass
class FakeReceipts:
    """An inbox; `broken` names the step that PostgreSQL does not take."""

    kept: list[Receipt] = field(default_factory=list)
    applied: int = 0
    broken: str = ""

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        if self.broken == "keep":
            raise Unavailable("PostgreSQL: fake")
        self.kept += receipts

    def apply(self, now: datetime) -> int:
        if self.broken == "apply":
            raise Unavailable("PostgreSQL: fake")
        self.applied += 1
        return len(self.kept)
