"""Knows how a channel's worker is told that there is work: by an RQ job that carries its name."""

from typing import Final

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

DELIVER: Final = "workers.jobs.deliver"  # by name: nothing here imports a worker
_WORKER_TTL_S: Final = 30  # an idle worker looks up after half of it
_BLOCKED_S: Final = 30.0  # longer than it waits for a job
_MOST_HANDS: Final = 4  # workers that a job goes through while none of them can deliver
_RUNG_S: Final = 5  # a doorbell nobody answered may be rung again after this time

log = structlog.get_logger()


def queue_name(channel: str) -> str:
    """The channel's own queue; a worker on two queues loses jobs (stack.md section 4)."""
    return f"deliver-{channel}"


def _rung(channel: str) -> str:
    return f"rung:{channel}"


class Listener(SimpleWorker):
    """An RQ worker that is back within seconds of Redis; RQ's own would wait a minute."""

    max_connection_wait_time = 2.0


def listener(redis_url: str, channel: str) -> SimpleWorker:
    """The worker of a channel's queue, with a client of its own: it waits in a blocking read, and
    RQ changes the timeouts of the client it is given."""
    redis = Redis.from_url(redis_url, socket_timeout=_BLOCKED_S, socket_connect_timeout=1.0)
    queue = Queue(queue_name(channel), connection=redis, serializer=JSONSerializer)
    return Listener(
        [queue],
        connection=redis,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL_S,
        maintenance_interval=_WORKER_TTL_S,
    )


class RqDoorbells:
    """Keeps ports.Doorbells."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ring(self, channel: str, hands: int = 1) -> None:
        """Puts one job on the channel's queue unless one waits there; losing it loses nothing.
        `hands` counts the workers it goes to: one that cannot deliver passes it on."""
        try:
            if hands <= _MOST_HANDS and self._redis.set(_rung(channel), 1, nx=True, ex=_RUNG_S):
                self._put(channel, hands)
        except RedisError as trouble:
            log.warning("doorbell.silent", channel=channel, trouble=type(trouble).__name__)

    def _put(self, channel: str, hands: int) -> None:
        """Nobody may be there to take it, for days: a second job would say nothing more. A ttl
        would end the job, and leave its id in the queue."""
        queue = Queue(queue_name(channel), connection=self._redis, serializer=JSONSerializer)
        if queue.is_empty():
            queue.enqueue_call(
                DELIVER, args=(channel, hands), timeout=-1, result_ttl=0, failure_ttl=60
            )

    def answered(self, channel: str) -> None:
        """The worker is about to look: work accepted from now on rings again."""
        try:
            self._redis.delete(_rung(channel))
        except RedisError as trouble:
            log.warning("doorbell.silent", channel=channel, trouble=type(trouble).__name__)
