"""Who listens for a channel's bell hears it at once, and again when Redis is back."""

import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from tests.fakes.served import until
from ussdapp.stores.doorbells import RqDoorbells


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def listening(redis: Redis, channel: str, stopping: threading.Event) -> list[str]:
    """What is heard, once somebody listens."""
    heard: list[str] = []
    bells = RqDoorbells(redis)
    threading.Thread(
        target=bells.listen, args=(channel, lambda: heard.append(channel), stopping), daemon=True
    ).start()
    until(lambda: bool(redis.pubsub_numsub(f"bell:{channel}")[0][1]))
    return heard


def test_each_ring_is_heard_by_who_listens_to_that_channel(
    redis_url: str, stopping: threading.Event
) -> None:
    redis = Redis.from_url(redis_url)
    heard, other = listening(redis, "one", stopping), listening(redis, "two", stopping)
    for _ in range(3):
        RqDoorbells(redis).ring("one")
    until(lambda: len(heard) == 3)
    assert other == []


def test_who_listens_hears_again_after_the_connection_broke(
    redis_url: str, stopping: threading.Event
) -> None:
    redis = Redis.from_url(redis_url)
    heard = listening(redis, "three", stopping)
    redis.client_kill_filter(_type="pubsub")
    until(lambda: bool(redis.pubsub_numsub("bell:three")[0][1]))

    def rung() -> bool:
        RqDoorbells(redis).ring("three")
        return bool(heard)

    until(rung)
