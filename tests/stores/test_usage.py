"""Usage is what was accepted on each day, as it stands when it is counted; and what it cost."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.stores.world import NOON, World, after
from ussdapp.core.inbound import Institution
from ussdapp.core.notification import Class
from ussdapp.core.status import Status
from ussdapp.core.usage import Used
from ussdapp.ports import InDoubt, Rejected, Submitted
from ussdapp.stores.database import rows
from ussdapp.stores.usage import PgUsage
from ussdapp.usecases.count_usage import CountUsage

TODAY = date(2026, 11, 20)
PRICES = {"sandbox": Decimal("12.5")}


@pytest.fixture
def usage(world: World) -> PgUsage:
    return PgUsage(world.database, PRICES)


def of(usage: PgUsage, first: date = TODAY, last: date = TODAY) -> list[tuple[Any, ...]]:
    return [
        (one.klass.value, one.status.value, one.notifications, one.parts, one.taken, one.cost)
        for one in usage.of("ega", first, last).used
    ]


def ask(world: World, query: Any) -> list[Any]:
    return world.database.run(lambda link: rows(link, query))


def test_a_day_is_told_by_class_channel_and_status(world: World, usage: PgUsage) -> None:
    world.accept("waits", Class.BULK)
    lease = world.lease()
    outcomes = [Submitted(("1",)), Rejected("ESME_RINVDSTADR"), InDoubt("no_answer")]
    for place, outcome in enumerate(outcomes):
        world.accept(f"{place}", Class.RECEIPT, text="x" * 161)
        (row,) = world.journal.claim(lease, 1, NOON)
        world.journal.record(lease, [(row, outcome)], NOON)
    assert usage.count(after(60)) == 4
    assert of(usage) == [
        ("bulk", "queued", 1, 1, 0, 0),
        ("receipt", "in_doubt", 1, 2, 2, Decimal("25.0")),
        ("receipt", "rejected", 1, 2, 0, 0),
        ("receipt", "submitted", 1, 2, 2, Decimal("25.0")),
    ]
    assert usage.of("ega", TODAY, TODAY).counted_at == after(60)
    assert usage.of("tra", TODAY, TODAY).used == ()
    assert len(usage.of(None, TODAY, TODAY).used) == 4


def test_a_late_receipt_moves_what_it_concerns_for_ten_days(world: World, usage: PgUsage) -> None:
    world.submitted("7")
    usage.count(NOON)
    world.receipt("7", Status.DELIVERED)
    usage.count(NOON + timedelta(days=10))
    assert of(usage) == [("receipt", "delivered", 1, 1, 1, Decimal("12.5"))]
    ask(world, "UPDATE notifications SET status = 'undelivered' RETURNING 1")
    usage.count(NOON + timedelta(days=11))
    assert of(usage) == [("receipt", "delivered", 1, 1, 1, Decimal("12.5"))]


def test_a_receipt_that_refuses_was_paid_for(world: World, usage: PgUsage) -> None:
    world.submitted("7")
    world.receipt("7", Status.REJECTED)
    usage.count(after(60))
    assert of(usage) == [("receipt", "rejected", 1, 1, 1, Decimal("12.5"))]


def test_a_day_begins_at_midnight_in_tanzania(world: World, usage: PgUsage) -> None:
    world.accept("before", at=datetime(2026, 11, 20, 20, 59, tzinfo=UTC))
    world.accept("after", at=datetime(2026, 11, 20, 21, 0, tzinfo=UTC))
    usage.count(datetime(2026, 11, 21, 3, tzinfo=UTC))
    assert [one.day.day for one in usage.of("ega", TODAY, date(2026, 11, 21)).used] == [20, 21]


def test_a_price_is_that_of_the_day(world: World, usage: PgUsage) -> None:
    world.submitted("7")
    usage.count(NOON)
    dearer = PgUsage(world.database, {"sandbox": Decimal(30)})
    world.submitted("8")
    dearer.count(after(60))
    assert of(dearer) == [("receipt", "submitted", 2, 2, 2, Decimal("25.0"))]
    free_of_words = PgUsage(world.database, {})
    tomorrow = NOON + timedelta(days=1)
    world.held = None
    world.accept("tomorrow", at=tomorrow)
    ask(world, "UPDATE notifications SET status = 'submitted', copies = 1 RETURNING 1")
    free_of_words.count(tomorrow)
    assert [cost for *_, cost in of(free_of_words, last=date(2026, 11, 21))] == [
        Decimal("25.0"), None,
    ]  # fmt: skip


def test_what_is_simulated_is_apart_and_costs_nothing(world: World, usage: PgUsage) -> None:
    world.submitted("7")
    world.accept("tried")
    ask(
        world,
        """UPDATE notifications SET channel = 'simulated', status = 'delivered', copies = 1
        WHERE id = (SELECT max(id) FROM notifications) RETURNING 1""",
    )
    usage.count(NOON)
    found = {one.simulated: one.cost for one in usage.of("ega", TODAY, TODAY).used}
    assert found == {False: Decimal("12.5"), True: 0}
    (tried,) = usage.of("ega", TODAY, TODAY, tried=True).used
    assert tried.simulated


def test_what_is_no_longer_so_is_forgotten_and_days_without_counting_are_made_up_for(
    world: World, usage: PgUsage
) -> None:
    world.accept("first", Class.BULK)
    usage.count(NOON)
    late = NOON + timedelta(days=30)
    world.accept("later", Class.BULK, at=NOON + timedelta(days=2))
    ask(world, "UPDATE notifications SET status = 'expired' RETURNING 1")
    usage.count(late)
    found = usage.of("ega", TODAY, date(2026, 12, 31)).used
    assert [(one.day, one.status, one.notifications) for one in found] == [
        (TODAY, Status.EXPIRED, 1), (date(2026, 11, 22), Status.EXPIRED, 1),
    ]  # fmt: skip


def test_every_slice_is_counted_once(world: World, usage: PgUsage) -> None:
    world.institutions.add([Institution("tra", "TRA", "TRA")])
    ask(
        world,
        """INSERT INTO notifications (id, institution_id, effect, class, rank, channel,
            msisdn_index, sender_id, encoding, parts, automatic, status, status_at, accepted_at,
            due_at, expires_at) OVERRIDING SYSTEM VALUE
        SELECT n * 100, 1 + mod(n, 3) / 2, n::text, 'bulk', 3, 'sandbox', '', '15200', 'gsm7', 2,
            false, 'queued', '2026-11-20', '2026-11-20', '2026-11-20', '2026-11-21'
        FROM generate_series(1, 3000) n RETURNING 1""",
    )
    for _ in range(2):
        assert usage.count(NOON, 1) == 3000
    ids = [row[0] for row in ask(world, "SELECT institution_id FROM notifications")]
    expected = {name: ids.count(number) for name, number in (("ega", 1), ("tra", 2))}
    found: dict[str | None, Used] = {u.institution: u for u in usage.of(None, TODAY, TODAY).used}
    assert {name: one.notifications for name, one in found.items()} == expected
    assert found["ega"].parts == 2 * expected["ega"]


def test_recent_days_are_counted_every_minute_and_ten_every_hour() -> None:
    counted: list[int] = []

    class Usages:
        def count(self, now: datetime, days_back: int) -> int:
            counted.append(days_back)
            return 0

    count = CountUsage(Usages())
    for second in range(0, 3 * 3600, 10):
        count(after(second))
    assert counted.count(10) == 3
    assert len(counted) == 3 * 60
