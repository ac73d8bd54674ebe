"""Windows are delivered and recorded; receipts are kept before they are applied."""

from datetime import UTC, datetime

import pytest

from tests.fakes.kept import FakeChannel, FakeJournal, FakeReceipts, Kept
from ussdapp.core.inbound import Lease, OptOut, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Rejected, Submission, Submitted, Unavailable
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
    deliver = DeliverWindow(journal, lambda: None)
    assert deliver(channel, LEASE, lambda: NOON) == 1
    assert journal.recorded == [(ROW, outcome)]
    assert deliver(channel, LEASE, lambda: NOON) == 0


def test_an_unbound_channel_claims_nothing() -> None:
    journal = FakeJournal([[ROW]])
    channel = FakeChannel(Submitted(("m1",)), bound=False)
    assert DeliverWindow(journal, lambda: None)(channel, LEASE, lambda: NOON) == 0
    assert journal.windows == [[ROW]]


def test_answers_are_held_until_they_can_be_recorded_and_nothing_is_submitted_twice() -> None:
    journal, channel = FakeJournal([[ROW]], refusals=3), FakeChannel(Submitted(("m1",)))
    pauses: list[None] = []
    DeliverWindow(journal, lambda: pauses.append(None))(channel, LEASE, lambda: NOON)
    assert len(pauses) == 3
    assert journal.recorded == [(ROW, Submitted(("m1",)))]
    assert channel.submitted == [ROW]


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
    RecordOptOut(kept, kept)(OptOut("at", sender_id, ASHA), NOON)
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
