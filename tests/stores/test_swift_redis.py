"""Calls on connections of our own: nothing of one caller reaches another, whatever breaks."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from ussdapp.stores.swift_redis import Script, SwiftRedis


def client(url: str, timeout: float = 0.5) -> Redis:
    return Redis.from_url(url, socket_timeout=timeout, retry=Retry(NoBackoff(), 0))


def connections(url: str) -> int:
    return len(client(url).client_list())


def test_a_reply_is_that_of_the_command(redis_url: str) -> None:
    swift = SwiftRedis(client(redis_url))
    swift.call("SET", "a", b"\x00\xff")
    assert swift.call("GET", "a") == b"\x00\xff"
    assert swift.call("GET", "b") is None


def test_threads_get_each_their_own_replies(redis_url: str) -> None:
    swift = SwiftRedis(client(redis_url))

    def echoes(number: int) -> bool:
        return all(swift.call("ECHO", f"{number}-{time}") == b"%d-%d" % (number, time)
                   for time in range(300))  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(echoes, range(8)))


def test_no_more_connections_are_made_than_threads_call_at_once(redis_url: str) -> None:
    swift, before, start = SwiftRedis(client(redis_url)), connections(redis_url), Barrier(3)

    def calls(_number: int) -> None:
        start.wait()
        for _ in range(50):
            swift.call("PING")

    for _ in range(4):  # threads come and go
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(calls, range(3)))
    assert connections(redis_url) - before <= 3


def test_an_error_of_the_server_leaves_the_connection_in_use(redis_url: str) -> None:
    swift = SwiftRedis(client(redis_url))
    swift.call("LPUSH", "list", "x")
    number = swift.call("CLIENT", "ID")
    with pytest.raises(ResponseError):
        swift.call("GET", "list")
    assert swift.call("CLIENT", "ID") == number


def test_a_reply_that_came_too_late_is_nobody_s(redis_url: str) -> None:
    swift = SwiftRedis(client(redis_url, timeout=0.05))
    assert swift.call("ECHO", "before") == b"before"
    with pytest.raises(RedisError):
        swift.call("BLPOP", "nothing", "0.2")
    assert swift.call("ECHO", "after") == b"after"


def test_a_connection_the_server_closed_is_made_anew_without_a_failed_call(redis_url: str) -> None:
    swift = SwiftRedis(client(redis_url))
    number = swift.call("CLIENT", "ID")
    client(redis_url).client_kill_filter(_id=str(number))
    while any(int(one["id"]) == number for one in client(redis_url).client_list()):
        pass
    assert swift.call("ECHO", "again") == b"again"


def test_a_server_that_nobody_runs_is_an_error_each_time() -> None:
    swift = SwiftRedis(client("redis://127.0.0.1:1"))
    for _ in range(2):
        with pytest.raises(RedisError):
            swift.call("PING")


def test_a_script_is_taught_once_and_again_after_it_was_forgotten(redis_url: str) -> None:
    redis = client(redis_url)
    swift, script = SwiftRedis(redis), Script(redis, "return {KEYS[1], ARGV[1]}")
    assert swift.run(script, ("k",), ("a",)) == [b"k", b"a"]
    redis.script_flush()
    assert swift.run(script, ("k",), ("b",)) == [b"k", b"b"]


def test_a_forked_process_calls_on_a_connection_of_its_own(redis_url: str) -> None:
    swift = SwiftRedis(client(redis_url))
    number = swift.call("CLIENT", "ID")
    child = os.fork()
    if child == 0:
        same = True
        try:
            same = swift.call("CLIENT", "ID") == number
        finally:
            os._exit(same)  # nothing of the test run's may act in the child
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert swift.call("CLIENT", "ID") == number
