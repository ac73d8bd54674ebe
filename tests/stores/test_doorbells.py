"""Doorbells in a real Valkey, as a channel's worker finds them."""

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from ussdapp.stores.doorbells import DELIVER, RqDoorbells, queue_name


def queue_of(redis: Redis, channel: str) -> Queue:
    return Queue(queue_name(channel), connection=redis, serializer=JSONSerializer)


def ring_late(redis: Redis, channel: str) -> None:
    """As after the time in which a channel is rung for once."""
    RqDoorbells(redis).answered(channel)
    RqDoorbells(redis).ring(channel)


def test_a_channel_that_nobody_serves_gathers_no_jobs(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        ring_late(redis, "idle")
        keys = set(redis.keys())
        for _ in range(100):
            ring_late(redis, "idle")
        assert queue_of(redis, "idle").count == 1
        assert set(redis.keys()) == keys


def test_a_job_that_was_taken_is_followed_by_another(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        queue, other = queue_of(redis, "idle"), queue_of(redis, "other")
        for _ in range(3):
            ring_late(redis, "idle")
            taken = Queue.dequeue_any([queue], None, connection=redis, serializer=JSONSerializer)
            assert taken
            assert (taken[0].func_name, list(taken[0].args)) == (DELIVER, ["idle", 1])
        ring_late(redis, "other")
        assert (queue.count, other.count) == (0, 1)


def test_a_channel_rung_for_often_at_once_has_one_job(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        queue = queue_of(redis, "idle")
        RqDoorbells(redis).ring("idle")
        assert Queue.dequeue_any([queue], None, connection=redis, serializer=JSONSerializer)
        for _ in range(10):
            RqDoorbells(redis).ring("idle")
        assert queue.count == 0


def test_a_job_that_no_worker_can_do_is_not_passed_on_for_ever(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        bells, queue = RqDoorbells(redis), queue_of(redis, "down")
        bells.ring("down")
        passed = 0
        while passed < 100 and (
            taken := Queue.dequeue_any([queue], None, connection=redis, serializer=JSONSerializer)
        ):
            bells.answered("down")
            _, hands = taken[0].args
            bells.ring("down", hands + 1)
            passed += 1
        assert 2 <= passed <= 8
