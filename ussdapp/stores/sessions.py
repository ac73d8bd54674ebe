"""Knows how dialogues are remembered in Redis: sealed, marked, and gone after their time to live.

What is kept under `ussdapp`'s one kind of key is a mark of 16 octets and the sealed record. The
mark is equal for equal records, so that a record is compared where it lies, in one round trip.
"""

import hashlib
import json
from typing import Any, Final, Protocol, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError

from ussdapp.core.session import Found, Record
from ussdapp.ports import Unavailable

log = structlog.get_logger()

TTL: Final = 180  # seconds; no operator keeps a dialogue open for longer
ABOUT: Final = "ussd.record"
_MARK: Final = 16
_NONE: Final = b""  # marks no record at all
_EXCHANGE: Final = """
local kept = redis.call('GET', KEYS[1])
if kept then
    local mark = string.sub(kept, 1, #ARGV[2])
    if mark ~= ARGV[1] and mark ~= ARGV[2] then return kept end
end
redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3], 'EX', ARGV[4])
return false
"""


class Sealing(Protocol):
    """Seals octets for one place; `open` raises ValueError when it cannot."""

    def close(self, content: bytes, about: str) -> bytes: ...

    def open(self, sealed: bytes, about: str) -> bytes: ...


class RedisSessions:
    """Keeps ports.Sessions. The client's own timeouts decide how long a dialogue waits; what
    cannot be read counts as nothing kept. With a `mark_key` a mark tells nothing without it."""

    def __init__(
        self, redis: Redis, seal: Sealing, ttl_s: int = TTL, mark_key: bytes = b""
    ) -> None:
        self._redis = redis
        self._seal = seal
        self._ttl_s = ttl_s
        self._mark_key = mark_key
        self._script = redis.register_script(_EXCHANGE)  # EVALSHA, loaded where it is missing

    def kept(self, key: str) -> Record | None:
        """What is remembered under that key. Raises Unavailable."""
        try:
            content = cast("bytes | None", self._redis.get(_place(key)))
        except RedisError as trouble:
            raise Unavailable("sessions") from trouble
        return self._opened(content) if content else None

    def exchange(self, key: str, before: Record | None, after: Record) -> Record | None:
        """One round trip, as ports.Sessions says. Raises Unavailable."""
        expected = self._mark(_written(before)) if before else _NONE
        content = self._run(key, expected, after)
        if content is None:
            return None
        record = self._opened(content)
        if record is None:
            # nobody can go on from it: it is replaced, unless another was quicker
            content = self._run(key, content[:_MARK], after)
            record = self._opened(content) if content else None
        return record

    def _run(self, key: str, expected: bytes, after: Record) -> bytes | None:
        written = _written(after)
        sealed = self._seal.close(written, ABOUT)
        arguments = (expected, self._mark(written), sealed, self._ttl_s)
        try:
            return cast("bytes | None", self._script(keys=[_place(key)], args=arguments))
        except RedisError as trouble:
            raise Unavailable("sessions") from trouble

    def _mark(self, written: bytes) -> bytes:
        return hashlib.blake2b(written, digest_size=_MARK, key=self._mark_key).digest()

    def _opened(self, content: bytes) -> Record | None:
        try:
            return _read(json.loads(self._seal.open(content[_MARK:], ABOUT)))
        except (ValueError, TypeError, AttributeError):
            log.warning("ussd.session_unreadable")
            return None


def _place(key: str) -> str:
    return f"ussd:{key}"


def _written(record: Record) -> bytes:
    found = [[found.outcome, dict(found.values)] for found in record.found]
    content = [record.version, record.language, record.keys, found]
    return json.dumps(content, sort_keys=True).encode()


def _read(content: Any) -> Record:
    version, language, keys, found = content
    return Record(
        version=str(version),
        language=str(language),
        keys=tuple(str(key) for key in keys),
        found=tuple(Found(str(outcome), dict(values.items())) for outcome, values in found),
    )
