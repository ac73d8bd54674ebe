"""What Sessions promises, the fake and Redis alike, and what only Redis can do wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.fakes.dialogue import FakeSessions
from ussdapp.core.session import Found, Record
from ussdapp.ports import Sessions, Unavailable
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions

FIRST = Record("v1", "sw")
NEXT = Record("v1", "sw", ("9",))
THIRD = Record("v1", "en", ("9", "a*b é😀"), (Found("filed", {"kumbukumbu": "1"}),))
SEAL = Seal(b"s" * 32, b"i" * 32)


def connected(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))


def redis_sessions(url: str, seal: Seal = SEAL) -> RedisSessions:
    return RedisSessions(connected(url), seal, ttl_s=180, mark_key=b"m" * 32)


@pytest.fixture(params=["fake", "redis"])
def sessions(request: pytest.FixtureRequest) -> Iterator[Sessions]:
    if request.param == "fake":
        yield FakeSessions()
    else:
        yield redis_sessions(request.getfixturevalue("redis_url"))


def test_nothing_is_kept_at_first(sessions: Sessions) -> None:
    assert sessions.kept("k") is None


def test_a_record_is_kept_whole(sessions: Sessions) -> None:
    assert sessions.exchange("k", None, THIRD) is None
    assert sessions.kept("k") == THIRD


def test_a_record_takes_the_place_of_the_one_before_it(sessions: Sessions) -> None:
    sessions.exchange("k", None, FIRST)
    assert sessions.exchange("k", FIRST, NEXT) is None
    assert sessions.kept("k") == NEXT


def test_a_repeated_exchange_is_no_conflict(sessions: Sessions) -> None:
    sessions.exchange("k", None, FIRST)
    sessions.exchange("k", FIRST, NEXT)
    assert sessions.exchange("k", FIRST, NEXT) is None


def test_another_record_stays_and_is_told(sessions: Sessions) -> None:
    sessions.exchange("k", None, THIRD)
    assert sessions.exchange("k", FIRST, NEXT) == THIRD
    assert sessions.exchange("k", None, NEXT) == THIRD
    assert sessions.kept("k") == THIRD


def test_keys_do_not_know_each_other(sessions: Sessions) -> None:
    sessions.exchange("k", None, FIRST)
    assert sessions.kept("l") is None


def test_of_parallel_exchanges_one_wins_and_all_others_hear_of_it(sessions: Sessions) -> None:
    sessions.exchange("k", None, FIRST)
    rivals = [Record("v1", "sw", (str(number),)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda rival: sessions.exchange("k", FIRST, rival), rivals))
    winner = rivals[told.index(None)]
    assert told.count(None) == 1
    assert set(told) == {None, winner}


def test_what_is_kept_ends_with_its_time_to_live(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    sessions.exchange("k", None, FIRST)
    client = connected(redis_url)
    assert client.ttl("ussd:k") == 180
    client.pexpire("ussd:k", 1)
    while client.exists("ussd:k"):
        pass
    assert sessions.kept("k") is None


def test_nothing_readable_lies_in_redis(redis_url: str) -> None:
    redis_sessions(redis_url).exchange("k", None, THIRD)
    content = cast("bytes", connected(redis_url).get("ussd:k"))
    assert b"kumbukumbu" not in content
    assert b"a*b" not in content


@pytest.mark.parametrize(
    "spoil",
    [lambda kept: b"x", lambda kept: b"", lambda kept: kept[:-1] + bytes((kept[-1] ^ 1,))],
    ids=["shorter than a mark", "empty", "changed"],
)
def test_what_cannot_be_read_counts_as_nothing_kept(redis_url: str, spoil: object) -> None:
    sessions, client = redis_sessions(redis_url), connected(redis_url)
    sessions.exchange("k", None, THIRD)
    client.set("ussd:k", spoil(client.get("ussd:k")))  # type: ignore[operator]
    assert sessions.kept("k") is None
    assert sessions.exchange("k", FIRST, NEXT) is None
    assert sessions.kept("k") == NEXT


def test_a_record_sealed_by_another_key_counts_as_nothing_kept(redis_url: str) -> None:
    redis_sessions(redis_url, Seal(b"o" * 32, b"i" * 32)).exchange("k", None, THIRD)
    assert redis_sessions(redis_url).kept("k") is None


def test_a_redis_that_forgot_the_script_is_taught_it_again(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    sessions.exchange("k", None, FIRST)
    connected(redis_url).script_flush()
    assert sessions.exchange("k", FIRST, NEXT) is None


def test_a_value_of_another_type_is_unavailable_not_an_error_of_ours(redis_url: str) -> None:
    connected(redis_url).lpush("ussd:k", "x")
    with pytest.raises(Unavailable):
        redis_sessions(redis_url).exchange("k", None, FIRST)


def test_a_redis_that_nobody_serves_is_unavailable() -> None:
    sessions = redis_sessions("redis://127.0.0.1:1")
    with pytest.raises(Unavailable):
        sessions.kept("k")
    with pytest.raises(Unavailable):
        sessions.exchange("k", None, FIRST)
