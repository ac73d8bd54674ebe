"""A bulk whose sender ID an operator refuses does not go on to the last row."""

import pytest

from tests.fakes.bulks import Office, recipients
from tests.stores.world import NOON, SEAL, after
from ussdapp.core.bulk import BulkStatus
from ussdapp.core.notification import Lane
from ussdapp.ports import Outcome, Rejected, Submitted
from ussdapp.stores.barred_senders import BY, BarredSenders
from ussdapp.stores.bulks import PgBulks

BARRED = Rejected("ESME_RINVSRCADR")
WRONG_NUMBER = Rejected("ESME_RINVDSTADR")


@pytest.fixture
def senders(office: Office) -> BarredSenders:
    return BarredSenders(office.database, PgBulks(office.database, SEAL))


def answered(office: Office, count: int, refusals: int, refusal: Outcome = BARRED) -> int:
    """A bulk of 3,000 rows, of which so many were answered and so many of them refused."""
    number = office.send(recipients(3000))
    office.work()
    lease = office.leases.take("sandbox", 1, NOON)
    assert lease
    window = office.journal.claim(lease, count, NOON, Lane.BULK)
    answers = [
        (row, refusal if place < refusals else Submitted((f"m{row.id}",)))
        for place, row in enumerate(window)
    ]
    office.journal.record(lease, answers, after(1))
    return number


def test_a_bulk_refused_for_its_sender_id_stops_itself(
    office: Office, senders: BarredSenders
) -> None:
    number = answered(office, 200, 41)
    assert senders.stop(after(2)) == 1
    view = office.view(number)
    assert view.status is BulkStatus.STOPPED
    assert view.code == "sender_id_refused"
    assert "sender ID" in view.detail
    office.work(after(3))
    counts = office.view(number).counts
    assert (counts["rejected"], counts["submitted"], counts["stopped"]) == (41, 159, 2800)
    assert office.holds()
    assert office.ask("SELECT actor, action FROM audit")[-1] == (BY, "bulk.stopped")
    assert senders.stop(after(4)) == 0


@pytest.mark.parametrize(
    ("count", "refusals", "refusal"),
    [(200, 40, BARRED), (40, 40, BARRED), (200, 200, WRONG_NUMBER)],
    ids=["a fifth is not more than a fifth", "too few to judge by", "refused for their MSISDN"],
)
def test_any_other_bulk_goes_on(
    office: Office, senders: BarredSenders, count: int, refusals: int, refusal: Outcome
) -> None:
    number = answered(office, count, refusals, refusal)
    assert senders.stop(after(2)) == 0
    assert office.view(number).status is BulkStatus.SENDING
