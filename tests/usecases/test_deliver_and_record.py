"""Windows are delivered and recorded; receipts are kept before they are applied."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.fakes.kept import FakeChannel, FakeJournal, FakeReceipts, Kept
from ussdapp.core.inbound import Lease, Mo, OptOut, Receipt
from ussdapp.core.mo_parts import MoPart
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Lane
from ussdapp.core.status import Status
from ussdapp.ports import (
    Answered,
    Deferred,
    InDoubt,
    Outcome,
    Rejected,
    Submission,
    Submitted,
    Unavailable,
)
from ussdapp.usecases.deliver_window import DeliverWindow
from ussdapp.usecases.reconcile import Reconcile
from ussdapp.usecases.record_opt_out import RecordOptOut
from ussdapp.usecases.record_receipts import RecordReceipts

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
ASHA = Msisdn("255754000001")
LEASE = Lease("sandbox", 1, 1)
ROW = Submission(1, 1, ASHA, "Habari", "15200")


@pytest.mark.parametrize(
    "outcome",
    [Submitted(("m1",)), Rejected("x"), Deferred("y", 1.0), InDoubt("z")],
    ids=lambda outcome: type(outcome).__name__,
)
def test_each_row_is_recorded_with_its_outcome(outcome: Submitted) -> None:
    journal, channel = FakeJournal([[ROW]]), FakeChannel(outcome)
    deliver = DeliverWindow(journal, lambda: None, lambda: 0.0)
    assert deliver(channel, LEASE, lambda: NOON) == 1
    assert journal.recorded == [(ROW, outcome)]
    assert deliver(channel, LEASE, lambda: NOON) == 0


def test_an_unbound_channel_claims_nothing() -> None:
    journal = FakeJournal([[ROW]])
    channel = FakeChannel(Submitted(("m1",)), bound=False)
    assert DeliverWindow(journal, lambda: None, lambda: 0.0)(channel, LEASE, lambda: NOON) == 0
    assert journal.windows == [[ROW]]


def test_answers_are_held_until_they_can_be_recorded_and_nothing_is_submitted_twice() -> None:
    journal, channel = FakeJournal([[ROW]], refusals=3), FakeChannel(Submitted(("m1",)))
    pauses: list[None] = []
    deliver = DeliverWindow(journal, lambda: pauses.append(None), lambda: 0.0)
    with pytest.raises(Unavailable):
        deliver(channel, LEASE, lambda: NOON)
    assert len(pauses) == 2  # the first time they went along with the next claim
    assert journal.recorded == [(ROW, Submitted(("m1",)))]
    assert channel.submitted == [ROW]


@pytest.mark.parametrize("refusals", [0, 3], ids=["with the next claim", "by themselves"])
def test_whoever_watches_is_told_once_of_answers_that_are_recorded(refusals: int) -> None:
    journal, channel = FakeJournal([[ROW]], refusals=refusals), FakeChannel(Rejected("x"))
    told: list[tuple[str, list[Answered], list[Answered]]] = []

    def watch(account: str, answered: Sequence[Answered], _: datetime) -> None:
        if answered:
            told.append((account, list(answered), list(journal.recorded)))

    deliver = DeliverWindow(journal, lambda: None, lambda: 0.0, recorded=watch)
    with suppress(Unavailable):
        deliver(channel, LEASE, lambda: NOON)
    answer = (ROW, Rejected("x"))
    assert told == [("sandbox", [answer], [answer])]


class Spoilt(FakeJournal):
    """Its second claim breaks by what nobody thought of."""

    def claim(self, *given: Any, **more: Any) -> list[Submission]:
        if not self.windows:
            raise RuntimeError
        return super().claim(*given, **more)


def test_answers_are_recorded_whatever_breaks_the_claim_they_went_along_with() -> None:
    journal = Spoilt([[ROW]])
    deliver = DeliverWindow(journal, lambda: None, lambda: 0.0)
    with pytest.raises(RuntimeError):
        deliver(FakeChannel(Submitted(("m1",))), LEASE, lambda: NOON)
    assert journal.recorded == [(ROW, Submitted(("m1",)))]


def test_a_process_that_stood_still_after_its_claim_submits_nothing() -> None:
    journal, channel = FakeJournal([[ROW]]), FakeChannel(Submitted(("m1",)))
    ticks = iter([0.0, 31.0])
    DeliverWindow(journal, lambda: None, lambda: next(ticks))(channel, LEASE, lambda: NOON)
    assert channel.submitted == []
    assert journal.recorded == [(ROW, Deferred("stale", 0.0))]


class Broken(FakeChannel):
    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        super().submit(window)
        raise RuntimeError


class Forgetful(FakeChannel):
    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        return super().submit(window)[:-1]


@pytest.mark.parametrize(
    ("channel", "trouble"),
    [(Broken(Submitted(("m1",))), RuntimeError), (Forgetful(Submitted(("m1",))), ValueError)],
    ids=["it raises", "it answers less than it was given"],
)
def test_a_channel_that_breaks_leaves_its_whole_window_in_doubt(
    channel: FakeChannel, trouble: type[Exception]
) -> None:
    other = Submission(2, 1, ASHA, "Habari", "15200")
    journal = FakeJournal([[ROW, other]], refusals=1)
    with pytest.raises(trouble):
        DeliverWindow(journal, lambda: None, lambda: 0.0)(channel, LEASE, lambda: NOON)
    assert journal.recorded == [(ROW, InDoubt("broken")), (other, InDoubt("broken"))]


RECEIPT = Receipt("sandbox", "m1", Status.DELIVERED, "DELIVRD", ASHA)


def test_receipts_are_kept_and_applied() -> None:
    receipts = FakeReceipts()
    RecordReceipts(receipts)([RECEIPT], NOON)
    assert (receipts.kept, receipts.applied) == ([RECEIPT], 1)


def test_receipts_that_cannot_be_kept_are_refused_so_that_they_come_again() -> None:
    with pytest.raises(Unavailable):
        RecordReceipts(FakeReceipts(broken="keep"))([RECEIPT], NOON)


def test_receipts_that_are_kept_are_taken_even_when_they_cannot_be_applied_yet() -> None:
    receipts = FakeReceipts(broken="apply")
    RecordReceipts(receipts)([RECEIPT], NOON)
    assert receipts.kept == [RECEIPT]


@pytest.mark.parametrize(
    ("sender_id", "institution"), [("EGA", "ega"), ("15200", None)], ids=["its name", "ours"]
)
def test_an_opt_out_means_whose_sender_id_it_names(sender_id: str, institution: str) -> None:
    kept = Kept()
    RecordOptOut(kept)(OptOut("at", sender_id, ASHA), NOON)
    assert kept.opted_out == {(ASHA, institution)}


class Leases:
    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        return None

    def renew(self, lease: Lease, now: datetime) -> bool:
        return False

    def bury(self, now: datetime) -> int:
        return 1


def test_a_round_of_the_reconciler_applies_receipts_and_rings_for_what_is_due() -> None:
    kept, receipts = Kept(), FakeReceipts()
    Reconcile(Leases(), FakeJournal([]), receipts, kept)(NOON)
    assert receipts.applied == 1
    assert kept.rung == ["sandbox"]


def test_a_step_that_cannot_be_done_keeps_no_bell_from_being_rung() -> None:
    def unpark(_: datetime) -> int:
        raise Unavailable("PostgreSQL: fake")

    kept = Kept()
    reconcile = Reconcile(Leases(), FakeJournal([]), FakeReceipts(), kept, unpark=unpark)
    with pytest.raises(Unavailable):
        reconcile(NOON)
    assert kept.rung == ["sandbox"]


@dataclass
class MoParts:
    """Texts that waited ten minutes for their parts."""

    waiting: list[tuple[Mo, int]]
    ended: list[Mo] = field(default_factory=list)

    def keep(self, parts: Sequence[MoPart], at: datetime) -> list[Mo]:
        return []

    def overdue(self, at: datetime) -> list[tuple[Mo, int]]:
        return [one for one in self.waiting if one[0] not in self.ended]

    def end(self, mo: Mo, at: datetime) -> None:
        self.ended.append(mo)


def test_what_came_of_a_text_whose_parts_are_missing_is_received_once() -> None:
    mo = Mo("sandbox", "k:1", "255754000001", ASHA, "15200", "LALAMIKO tanesco")
    parts = MoParts([(mo, 1)])
    received: list[Mo] = []
    reconcile = Reconcile(
        Leases(), FakeJournal([]), FakeReceipts(), Kept(), parts, lambda mo, _: received.append(mo)
    )
    with capture_logs() as logs:
        reconcile(NOON)
        reconcile(NOON)
    assert (received, parts.ended) == ([mo], [mo])
    told = [log for log in logs if log["event"] == "mo.incomplete"]
    assert [(log["channel"], log["missing"]) for log in told] == [("sandbox", 1)]
