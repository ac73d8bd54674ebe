"""Knows how a channel's worker is told that there is work: an RQ job that carries a name."""

from typing import Final

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

DELIVER: Final = "workers.jobs.deliver"  # by name: nothing here imports a worker
_RUNG_S: Final = 5  # a doorbell nobody answered may be rung again after this time

log = structlog.get_logger()


def queue_name(channel: str) -> str:
    """The channel's own queue; a worker on two queues loses jobs (stack.md section 4)."""
    return f"deliver-{channel}"


def _rung(channel: str) -> str:
    return f"rung:{channel}"


class RqDoorbells:
    """Keeps ports.Doorbells."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ring(self, channel: str) -> None:
        """Puts one job on the channel's queue unless one waits there; losing it loses nothing."""
        try:
            if self._redis.set(_rung(channel), 1, nx=True, ex=_RUNG_S):
                queue = Queue(
                    queue_name(channel),
                    connection=self._redis,
                    serializer=JSONSerializer,
                )
                queue.enqueue_call(
                    DELIVER, args=(channel,), timeout=-1, result_ttl=0, failure_ttl=60
                )
        except RedisError as trouble:
            log.warning("doorbell.silent", channel=channel, trouble=type(trouble).__name__)

    def answered(self, channel: str) -> None:
        """The worker is about to look: work accepted from now on rings again."""
        self._redis.delete(_rung(channel))
