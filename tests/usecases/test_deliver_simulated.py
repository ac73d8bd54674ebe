"""What is simulated is claimed, answered and receipted as if by an operator, one process at a
time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.fakes.kept import FakeJournal, FakeReceipts, Kept
from ussdapp.core.inbound import Lease
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Rejected, Submission, Submitted
from ussdapp.usecases.deliver_simulated import DeliverSimulated

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass
class Leases:
    """Gives epochs, unless another process holds the lease."""

    taken: int = 0
    held_by_another: bool = False
    lost: bool = False

    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        if self.held_by_another:
            return None
        self.taken += 1
        return Lease(channel, bind, self.taken)

    def renew(self, lease: Lease, now: datetime) -> bool:
        return not self.lost

    def bury(self, now: datetime) -> int:
        return 0


@dataclass
class World:
    journal: FakeJournal
    leases: Leases = field(default_factory=Leases)
    receipts: FakeReceipts = field(default_factory=FakeReceipts)
    memory: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        self.deliver = DeliverSimulated(
            self.leases, self.journal, self.receipts, self.memory, lambda: NOON
        )


def row(number: int, msisdn: str) -> Submission:
    return Submission(number, 1, Msisdn(msisdn), "Habari", "15200")


def test_each_simulated_msisdn_is_answered_as_it_is_told() -> None:
    numbers = ["255700000000", "255700000001", "255700000002", "255700000003", "255754000001"]
    world = World(FakeJournal([[row(n, msisdn) for n, msisdn in enumerate(numbers)]]))
    world.deliver.ring(SIMULATED)
    assert [type(outcome) for _, outcome in world.journal.recorded] == [
        Submitted, Submitted, Rejected, InDoubt, Submitted,
    ]  # fmt: skip
    assert [one.status for one in world.receipts.kept] == [
        Status.DELIVERED, Status.UNDELIVERED, Status.DELIVERED,
    ]  # fmt: skip
    ids = [o.message_ids[0] for _, o in world.journal.recorded if isinstance(o, Submitted)]
    assert [one.message_id for one in world.receipts.kept] == ids
    assert {one.account for one in world.receipts.kept} == {SIMULATED}
    assert world.memory.rung == []


def test_every_other_channel_is_rung_for() -> None:
    world = World(FakeJournal([[row(1, "255754000001")]]))
    world.deliver.ring("sandbox")
    assert world.memory.rung == ["sandbox"]
    assert world.journal.recorded == []


def test_window_after_window_is_delivered() -> None:
    world = World(FakeJournal([[row(n, "255754000001")] for n in range(5)]))
    world.deliver.ring(SIMULATED)
    assert len(world.journal.recorded) == 5


def test_what_needs_no_receipt_gets_none() -> None:
    world = World(FakeJournal([[row(1, "255700000003")]]))
    world.deliver.ring(SIMULATED)
    assert (world.receipts.kept, world.receipts.applied) == ([], 0)


def test_nothing_is_claimed_while_another_process_holds_the_lease() -> None:
    world = World(FakeJournal([[row(1, "255754000001")]]), Leases(held_by_another=True))
    world.deliver.ring(SIMULATED)
    assert world.journal.windows


def test_a_lease_is_kept_until_it_is_lost() -> None:
    world = World(FakeJournal([]))
    for _ in range(3):
        world.deliver.ring(SIMULATED)
    assert world.leases.taken == 1
    world.leases.lost = True
    world.deliver.ring(SIMULATED)
    assert world.leases.taken == 2


def test_what_could_not_be_recorded_is_left_to_the_next_epoch() -> None:
    world = World(FakeJournal([[row(1, "255754000001")]], refusals=1))
    world.deliver.ring(SIMULATED)
    assert world.receipts.kept == []
    world.deliver.ring(SIMULATED)
    assert world.leases.taken == 2


def test_a_fenced_process_takes_a_new_epoch() -> None:
    world = World(FakeJournal([]))
    for fenced in (False, True, False):
        world.journal.fenced = fenced
        world.deliver.ring(SIMULATED)
    assert world.leases.taken == 2
