"""An institution's quotas hold to the part, however many of its requests come at once."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.bulks import AUTHOR, NOON, TESTER, Bells, Office, after, recipients
from ussdapp.core.bulk import BulkStatus
from ussdapp.core.keys import IssuedKey
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.quiet import eat_day
from ussdapp.core.quota import OverQuota, Period, begins_anew
from ussdapp.core.routing import Route, Routes
from ussdapp.core.simulated import ROUTES
from ussdapp.stores.accepted import PgAcceptances
from ussdapp.stores.database import Database
from ussdapp.stores.dialogues import PgDialogues
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.quotas import PgQuotas
from ussdapp.stores.registers import PgRegisters
from ussdapp.stores.seal import Seal
from ussdapp.stores.templates import PgTemplates
from ussdapp.usecases.accept_notification import Accepted, AcceptNotification, Asked

SEAL = Seal(bytes(range(32)), bytes(range(32, 64)))
ASHA = Msisdn("255754000001")
TEXT = "Habari"


class Desk:
    """Accepts single notifications for ega."""

    def __init__(self, office: Office) -> None:
        self.office = office
        routes = Routes.ordered([*ROUTES, Route("", "sandbox")])
        acceptances = PgAcceptances(office.database, SEAL, PublicIds(bytes(32), "notice"))
        keys = iter(range(10**9))
        self._accept = AcceptNotification(
            acceptances,
            Bells(),
            PgTemplates(office.database),
            PgDialogues(office.database, SEAL),
            routes,
            "15200",
            lambda: f"new {next(keys)}",
        )

    def send(
        self,
        by: IssuedKey = AUTHOR,
        now: datetime = NOON,
        klass: Class = Class.TRANSACTION,
        key: str | None = None,
        text: str = TEXT,
        to: tuple[Msisdn, ...] = (ASHA,),
    ) -> Accepted:
        return self._accept(by, Asked(to, text, klass, key, text), now)

    def limit(self, **quotas: int) -> None:
        PgRegisters(self.office.database).change("ega", dict(quotas), NOON)

    def left(self, now: datetime = NOON, *, live: bool = True) -> list[int]:
        found = PgQuotas(self.office.database).of("ega", eat_day(now), live=live)
        return [quota.left for quota in found]

    def kept(self) -> int:
        return int(self.office.ask("SELECT count(*) FROM notifications")[0][0])


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    database = Database(database_url, most=24)
    office = Office(database, database_url)
    yield Desk(office)
    office.close()
    database.close()


def test_the_last_part_of_a_day_is_accepted_and_no_further_one_until_midnight_eat(
    desk: Desk,
) -> None:
    desk.limit(quota_day=3)
    desk.send()
    desk.send(text="x" * 161)  # two parts
    assert desk.left() == [0]
    with pytest.raises(OverQuota) as refusal:
        desk.send()
    quota = refusal.value.quota
    assert (quota.period, quota.limit, quota.left) == (Period.DAY, 3, 0)
    assert quota.begins == datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert desk.kept() == 2
    desk.send(now=quota.begins)
    assert desk.left(quota.begins) == [2]
    assert desk.office.holds()


def test_a_month_holds_its_days_together(desk: Desk) -> None:
    desk.limit(quota_day=10, quota_month=3)
    for days in range(3):
        desk.send(now=NOON + timedelta(days=days))
    late = NOON + timedelta(days=10)
    with pytest.raises(OverQuota) as refusal:
        desk.send(now=late)
    assert refusal.value.quota.period is Period.MONTH
    assert refusal.value.quota.begins == datetime(2026, 11, 30, 21, tzinfo=UTC)
    assert desk.left(late) == [10, 0]
    desk.send(now=refusal.value.quota.begins)


def test_an_urgent_one_counts_and_is_never_refused(desk: Desk) -> None:
    desk.limit(quota_day=2)
    for _ in range(3):
        desk.send(klass=Class.URGENT)
    assert desk.left() == [0]
    with pytest.raises(OverQuota):
        desk.send()


def test_what_test_keys_send_is_counted_apart(desk: Desk) -> None:
    desk.limit(quota_day=1)
    desk.send(TESTER)
    desk.send(AUTHOR)
    for key in (TESTER, AUTHOR):
        with pytest.raises(OverQuota):
            desk.send(key)
    assert desk.left() == desk.left(live=False) == [0]


def test_a_repeat_spends_nothing_and_is_answered_over_quota_too(desk: Desk) -> None:
    desk.limit(quota_day=1)
    first = desk.send(key="november")
    assert desk.send(key="november") == first
    assert desk.left() == [0]


def test_what_goes_to_several_is_refused_whole(desk: Desk) -> None:
    desk.limit(quota_day=3)
    several = tuple(Msisdn(f"25575400000{n}") for n in range(4))
    with pytest.raises(OverQuota):
        desk.send(to=several)
    assert desk.kept() == 0
    desk.send(to=several[:3])
    assert desk.left() == [0]


def test_a_quota_that_is_changed_holds_at_once_and_0_lifts_it(desk: Desk) -> None:
    for _ in range(5):
        desk.send()
    desk.limit(quota_day=6)
    desk.send()
    with pytest.raises(OverQuota):
        desk.send()
    desk.limit(quota_day=7)
    desk.send()
    with pytest.raises(OverQuota):
        desk.send()
    desk.limit(quota_day=0)
    desk.send()
    assert desk.left() == []


@pytest.mark.parametrize("limit", [40, 97])
def test_parallel_requests_spend_the_quota_to_the_part_and_no_more(desk: Desk, limit: int) -> None:
    desk.limit(quota_day=limit)
    accepted, refused = [], []

    def post(number: int) -> None:
        for turn in range(10):
            try:
                accepted.append(desk.send(to=(Msisdn(f"2557540{number:02}{turn:03}"),)))
            except OverQuota as over:
                refused.append(over)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(accepted), len(accepted) + len(refused)) == (limit, 160)
    assert desk.kept() == limit
    assert desk.left() == [0]


def test_the_counters_of_days_that_are_over_are_one_row_each(desk: Desk) -> None:
    for days in range(3):
        for _ in range(2):
            desk.send(now=NOON + timedelta(days=days))
    rows = desk.office.ask(
        "SELECT day, sum(used), min(shard) FROM quota_shards GROUP BY 1 ORDER BY 1"
    )
    assert [row[1] for row in rows] == [2, 2, 2]
    assert [row[2] for row in rows[:2]] == [-1, -1]


def test_a_bulk_over_quota_is_refused_whole_with_one_sentence(desk: Desk) -> None:
    desk.limit(quota_day=5)
    office = desk.office
    fits, not_any_more = office.send(recipients(3)), office.send(recipients(4, 255_713_000_000))
    office.work()
    assert office.view(fits).status is BulkStatus.QUEUED
    view = office.view(not_any_more)
    assert (view.status, view.code) == (BulkStatus.STOPPED, "quota_day")
    assert view.detail == (
        "It takes 4 parts. The quota of 5 parts a day leaves 2; "
        "it begins anew at 2026-11-21 00:00 EAT."
    )
    assert view.counts["stopped"] == 4
    assert desk.left() == [2]
    due = office.ask("SELECT sum(cardinality(ids)) FROM queue WHERE channel = 'sandbox'")
    assert due == [(3,)]
    assert office.holds()


def test_a_bulk_spends_once_however_often_its_check_is_begun_again(desk: Desk) -> None:
    desk.limit(quota_day=5)
    desk.office.send(recipients(3))
    desk.office.work()
    desk.office.work(after(5))
    assert desk.left() == [2]


def test_a_period_ends_at_midnight_in_tanzania() -> None:
    december = eat_day(datetime(2026, 12, 31, 20, 59, tzinfo=UTC))
    assert begins_anew(Period.DAY, december) == datetime(2026, 12, 31, 21, tzinfo=UTC)
    assert begins_anew(Period.MONTH, december) == datetime(2026, 12, 31, 21, tzinfo=UTC)
    february = eat_day(datetime(2027, 1, 31, 21, tzinfo=UTC))
    assert begins_anew(Period.MONTH, february) == datetime(2027, 2, 28, 21, tzinfo=UTC)
