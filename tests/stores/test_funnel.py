"""Counts on their way from Redis to PostgreSQL: added once, whatever breaks between."""

from datetime import UTC, date, datetime, timedelta
from typing import cast

import pytest
from redis import Redis

from tests.fakes.dialogue import NOON
from ussdapp.core.funnel import BUCKETS, Drain, Fact, Period, Seen, Step
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Record
from ussdapp.ports import After, Unavailable
from ussdapp.stores.database import Database
from ussdapp.stores.funnel import PgFunnel, RedisCounts
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions
from ussdapp.usecases.count_steps import CountSteps

TODAY = date(2026, 11, 22)
ALL = Period(TODAY, TODAY)
A, B = Seen("at", "sw", "main.a"), Seen("at", "en", "ega.huduma.b")
ASHA = Msisdn("255754000001")
MINUTE = timedelta(minutes=1)


def walked(url: str, dialogue: str, day: str = "20261122") -> None:
    """One dialogue from A to B, where it ends."""
    sessions = RedisSessions(Redis.from_url(url), Seal(b"s" * 32, b"i" * 32))
    start, then = Record("v", "sw"), Record("v", "sw", ("1",))
    sessions.exchange(dialogue, None, After(start, ASHA), Step(day, A))
    sessions.exchange(dialogue, start, After(then, ASHA), Step(day, B, ends=True, left=A))


def facts_of(*, times: int, day: date = TODAY) -> set[Fact]:
    quick = (times, *(0,) * (BUCKETS - 1))
    return {
        Fact(day, A, entries=times, exits=times, buckets=quick),
        Fact(day, B, entries=times, ended=times),
    }


@pytest.fixture
def funnel(database: Database) -> PgFunnel:
    return PgFunnel(database)


@pytest.fixture
def counts(redis_url: str) -> RedisCounts:
    return RedisCounts(Redis.from_url(redis_url))


def test_what_was_counted_is_added_minute_by_minute(
    redis_url: str, counts: RedisCounts, funnel: PgFunnel
) -> None:
    count_steps = CountSteps(counts, funnel)
    for number in (1, 2, 3):
        walked(redis_url, f"k{number}")
        assert count_steps(NOON + number * MINUTE) == 1
        assert set(funnel.of(ALL)) == facts_of(times=number)
    assert count_steps(NOON + 9 * MINUTE) == 0
    assert cast("list[bytes]", Redis.from_url(redis_url).keys("funnel*")) == []


def test_a_crash_before_the_commit_loses_nothing(
    redis_url: str, counts: RedisCounts, funnel: PgFunnel
) -> None:
    walked(redis_url, "k")
    assert len(list(counts.drain(NOON))) == 1  # and then nothing
    assert CountSteps(counts, funnel)(NOON) == 1
    assert set(funnel.of(ALL)) == facts_of(times=1)


def test_a_crash_after_the_commit_doubles_nothing_and_what_came_since_is_added(
    redis_url: str, counts: RedisCounts, funnel: PgFunnel
) -> None:
    walked(redis_url, "k")
    (drain,) = counts.drain(NOON)
    assert funnel.add(drain, NOON)
    walked(redis_url, "l")
    count_steps = CountSteps(counts, funnel)
    assert count_steps(NOON) == 0
    assert set(funnel.of(ALL)) == facts_of(times=1)
    assert count_steps(NOON + MINUTE) == 1
    assert set(funnel.of(ALL)) == facts_of(times=2)


def test_two_reconcilers_with_one_drain_add_it_once(
    redis_url: str, counts: RedisCounts, funnel: PgFunnel
) -> None:
    walked(redis_url, "k")
    (first,), (second,) = counts.drain(NOON), counts.drain(NOON)
    assert first == second
    assert [funnel.add(first, NOON), funnel.add(second, NOON)] == [True, False]
    counts.forget(first)
    walked(redis_url, "l")
    (third,) = counts.drain(NOON)
    counts.forget(second)  # late: another one lies there by now
    assert list(counts.drain(NOON)) == [third]


def test_a_redis_that_went_back_in_time_doubles_nothing(
    redis_url: str, counts: RedisCounts, funnel: PgFunnel
) -> None:
    client = Redis.from_url(redis_url)
    walked(redis_url, "k")
    before = cast("bytes", client.dump("funnel:20261122"))
    CountSteps(counts, funnel)(NOON)
    client.restore("funnel:20261122", 0, before)
    CountSteps(counts, funnel)(NOON)
    assert set(funnel.of(ALL)) == facts_of(times=1)


@pytest.mark.parametrize(("day", "days"), [("20261121", -1), ("20261123", 1), ("20261119", -3)])
def test_the_days_around_are_drained_as_well(
    redis_url: str, counts: RedisCounts, funnel: PgFunnel, day: str, days: int
) -> None:
    walked(redis_url, "k", day)
    CountSteps(counts, funnel)(NOON)
    then = TODAY + timedelta(days=days)
    assert set(funnel.of(Period(then, then))) == facts_of(times=1, day=then)
    assert funnel.of(ALL) == ()


@pytest.mark.parametrize(
    ("branch", "screens"), [("ega", {B.screen}), ("main", {A.screen}), ("huduma", set())]
)
def test_a_branch_has_its_own_screens_only(
    funnel: PgFunnel, branch: str, screens: set[str]
) -> None:
    funnel.add(Drain("x", TODAY, tuple(facts_of(times=1))), NOON)
    told = funnel.of(Period(TODAY, TODAY, branch))
    assert {fact.seen.screen for fact in told} == screens


def test_a_remembered_drain_is_forgotten_after_its_counts_are(funnel: PgFunnel) -> None:
    drain = Drain("x", TODAY, ())
    assert funnel.add(drain, NOON)
    assert not funnel.add(drain, NOON + timedelta(days=6))
    assert funnel.add(Drain("y", TODAY, ()), NOON + timedelta(days=8))
    assert funnel.add(drain, datetime(2026, 12, 1, tzinfo=UTC))


def test_counts_in_a_redis_that_nobody_serves_are_unavailable() -> None:
    counts = RedisCounts(Redis.from_url("redis://127.0.0.1:1"))
    with pytest.raises(Unavailable):
        list(counts.drain(NOON))
