"""Where stores are asked whether they are there, and whether they would lose what is accepted."""

from collections.abc import Callable
from typing import Final

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from ussdapp.ports import Unavailable
from ussdapp.settings import SettingsRefused
from ussdapp.stores.database import Database, first

_MIGRATED: Final = "SELECT FROM notifications LIMIT 1"


def missing(database: Database, redis: Redis) -> list[str]:
    """The names of what is missing before a process can serve; empty when it can."""
    checks: dict[str, Callable[[], object]] = {
        "postgresql": lambda: database.run_once(lambda link: first(link, _MIGRATED)),
        "redis": redis.ping,
        "redis: maxmemory-policy noeviction": lambda: _evicts_nothing(redis),
    }
    return [name for name, check in checks.items() if not _passes(check)]


def refuse_unsafe(database: Database, redis: Redis) -> None:
    """Raises SettingsRefused for stores that would lose what is accepted; one that is down now
    is no reason, readiness tells of it."""
    troubles = []
    try:
        row = database.run_once(lambda link: first(link, "SHOW synchronous_commit"))
        if row and row[0] == "off":
            troubles.append("PostgreSQL has synchronous_commit off: a crash would double SMS")
    except Unavailable:
        pass
    try:
        _evicts_nothing(redis)
    except SettingsRefused as refusal:
        troubles.append(str(refusal))
    except RedisError:
        pass
    if troubles:
        raise SettingsRefused("\n".join(troubles))


def _evicts_nothing(redis: Redis) -> None:
    policy = redis.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        raise SettingsRefused(f"Redis has maxmemory-policy {policy}: set noeviction")


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except (Unavailable, RedisError, psycopg.Error, SettingsRefused):
        return False
    return True
