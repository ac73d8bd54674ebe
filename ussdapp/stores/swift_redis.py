"""Knows how Redis is called with little ado: one command, one reply, on a connection of its own."""

import os
from typing import Any, Final

from redis import Redis
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as Late

EVALSHA: Final = "EVALSHA"


class Script:
    """A Lua script, known to Redis by its digest once it was run."""

    def __init__(self, redis: Redis, text: str) -> None:
        self.text = text
        self.sha: str = redis.register_script(text).sha


class SwiftRedis:
    """Takes half the time of the client, whose addresses, timeouts and kinds of connection it
    uses. No more connections are made than threads call at once; a process that was forked makes
    its own. It raises redis.RedisError and tries nothing twice."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._free: list[Any] = []
        self._pid = os.getpid()

    def call(self, *command: Any) -> Any:
        """The reply to one command."""
        connection = self._taken()
        try:
            connection.send_command(*command, check_health=False)
            reply = connection.read_response()
        except ResponseError:
            self._free.append(connection)
            raise
        except BaseException:
            # what is still to come on it belongs to nobody; it connects anew when it is used
            connection.disconnect()
            self._free.append(connection)
            raise
        self._free.append(connection)
        return reply

    def run(self, script: Script, keys: tuple[str, ...], arguments: tuple[Any, ...]) -> Any:
        """The script's reply; a Redis that does not know it is taught it."""
        try:
            return self.call(EVALSHA, script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.call("EVAL", script.text, len(keys), *keys, *arguments)

    def _taken(self) -> Any:
        if self._pid != os.getpid():
            # their sockets are the parent's
            self._free, self._pid = [], os.getpid()
        try:
            connection = self._free.pop()
        except IndexError:
            return self._pool.make_connection()
        if _stale(connection):
            connection.disconnect()
        return connection


def _stale(connection: Any) -> bool:
    """Whether the server has closed it, or said what nobody asked."""
    try:
        return connection.is_connected and bool(connection.can_read(0))
    except (Broken, Late, OSError):
        return True
