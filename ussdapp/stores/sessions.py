"""Knows how dialogues are remembered in Redis: sealed, marked, and gone after their time to live.

What is kept is a mark of 16 octets, a time and the sealed record. The mark is equal for equal
records, so that a record is compared where it lies, in one round trip. A citizen's draft is such a
record once more, under the blind index of the MSISDN, with the key of the dialogue it comes from.
"""

import hashlib
import json
from dataclasses import fields, replace
from typing import Any, Final, Protocol, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError

from ussdapp.core.funnel import Step
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.resume import Draft
from ussdapp.core.session import Found, Record
from ussdapp.ports import After, Unavailable
from ussdapp.stores.session_scripts import BEGIN, EXCHANGE, HEAD, MARK, counted, counts_place
from ussdapp.stores.swift_redis import Script, SwiftRedis

log = structlog.get_logger()

TTL: Final = 180  # seconds; no operator keeps a dialogue open for longer
DRAFT_TTL: Final = 600  # seconds in which a dropped dialogue is offered again
CLAIM_TTL: Final = 60  # seconds; longer than any application may think
FIRST_TTL: Final = 600  # seconds in which the same words to the same institution are one case
TRIED_TTL: Final = 26 * 3600  # seconds; a day of Tanzania and what clocks are wrong by
ABOUT: Final = "ussd.record"
_ABOUT_FIRST: Final = "ussd.first"
_NONE: Final = b""  # marks no record at all
_FOLLOW: Final = "follow"
# A set, so that the same wrong number again counts once.
_TRIED: Final = """
if ARGV[1] ~= '' then
    redis.call('SADD', KEYS[1], ARGV[1])
    redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return redis.call('SCARD', KEYS[1])
"""


class Sealing(Protocol):
    """Seals octets for one place; `open` raises ValueError when it cannot."""

    def close(self, content: bytes, about: str) -> bytes: ...

    def open(self, sealed: bytes, about: str) -> bytes: ...

    def index(self, msisdn: Msisdn) -> bytes: ...


class RedisSessions:
    """Keeps ports.Sessions. The client's own timeouts decide how long a dialogue waits; what
    cannot be read counts as nothing kept. With a `mark_key` a mark tells nothing without it."""

    def __init__(
        self, redis: Redis, seal: Sealing, ttl_s: int = TTL, mark_key: bytes = b""
    ) -> None:
        self._redis = SwiftRedis(redis)
        self._seal = seal
        self._ttl_s = ttl_s
        self._mark_key = mark_key
        self._exchange = Script(redis, EXCHANGE)
        self._begin = Script(redis, BEGIN)
        self._tried = Script(redis, _TRIED)

    def kept(self, key: str) -> Record | None:
        """What is remembered under that key. Raises Unavailable."""
        try:
            content = cast("bytes | None", self._redis.call("GET", _place(key)))
        except RedisError as trouble:
            raise Unavailable("sessions") from trouble
        return self._opened(content) if content else None

    def begin(
        self, key: str, record: Record, citizen: Msisdn, step: Step | None = None
    ) -> tuple[Record | None, Record | None]:
        """One round trip, as ports.Sessions says; where it keeps the record it counts the step.
        Raises Unavailable."""
        written = _written(record)
        arguments = (self._mark(written), self._seal.close(written, ABOUT), self._ttl_s)
        places = self._places(key, citizen, step)
        kept, draft = self._run(self._begin, places, (*arguments, *counted(step)))
        if not kept and not draft:
            return None, None
        found = self._opened(kept) if kept else None
        drafted = None if kept else self._draft(draft)
        if found is None and drafted is None:
            # nobody can go on from either: the dialogue begins, and the draft is no more
            self.exchange(key, None, After(record, citizen, Draft.CLEARED), step)
        return found, drafted

    def exchange(
        self, key: str, before: Record | None, after: After, step: Step | None = None
    ) -> Record | None:
        """One round trip, as ports.Sessions says; where it keeps a record that was not kept
        already it counts the step. Raises Unavailable."""
        expected = self._mark(_written(before)) if before else _NONE
        content = self._exchanged(key, expected, after, step)
        if content is None:
            return None
        record = self._opened(content)
        if record is None:
            # nobody can go on from it: it is replaced, unless another was quicker
            content = self._exchanged(key, content[:MARK], after, step)
            record = self._opened(content) if content else None
        return record

    def follow(self, key: str, before: Record, after: After, step: Step) -> Record | None:
        """As `exchange`, but raises LookupError, and keeps nothing, where nothing is kept that can
        be read. Raises Unavailable."""
        expected = self._mark(_written(before))
        content = self._exchanged(key, expected, after, step, _FOLLOW)
        record = self._opened(content) if content else None
        if content is not None and record is None:
            raise LookupError("no record is kept")
        return record

    def claim(self, key: str) -> bool:
        """Whether nobody was given that right within the last minute. Raises Unavailable."""
        try:
            reply = self._redis.call("SET", f"claim:{key}", b"", "NX", "EX", CLAIM_TTL)
        except RedisError as trouble:
            raise Unavailable("sessions") from trouble
        return reply is not None

    def first_effect(self, key: str, effect: str) -> str:
        """The effect noted under that key first, within the last ten minutes; it is this one where
        there was none, or none that can be read. Raises Unavailable."""
        sealed = self._seal.close(effect.encode(), _ABOUT_FIRST)
        place = f"first:{self._mark(key.encode()).hex()}"
        try:
            kept = self._redis.call("SET", place, sealed, "NX", "GET", "EX", FIRST_TTL)
            return self._seal.open(cast("bytes", kept), _ABOUT_FIRST).decode() if kept else effect
        except RedisError as trouble:
            raise Unavailable("sessions") from trouble
        except ValueError:
            return effect

    def tried(self, citizen: Msisdn, day: str, wrong: str = "") -> int:
        """How many different wrong references that citizen tried on that day, this one among them
        if one is given. Raises Unavailable."""
        place = f"tried:{day}:{self._seal.index(citizen).hex()}"
        mark = self._mark(wrong.encode()) if wrong else _NONE
        return cast("int", self._run(self._tried, (place,), (mark, TRIED_TTL)))

    def _exchanged(
        self, key: str, expected: bytes, after: After, step: Step | None, how: str = ""
    ) -> bytes | None:
        written = _written(after.record)
        sealed = self._seal.close(written, ABOUT)
        arguments = (
            expected, self._mark(written), sealed, self._ttl_s, after.draft.value, DRAFT_TTL, how,
        )  # fmt: skip
        places = self._places(key, after.citizen, step)
        return cast("bytes | None", self._run(self._exchange, places, (*arguments, *counted(step))))

    def _run(self, script: Script, places: tuple[str, ...], arguments: tuple[Any, ...]) -> Any:
        try:
            return self._redis.run(script, places, arguments)
        except RedisError as trouble:
            raise Unavailable("sessions") from trouble

    def _places(self, key: str, citizen: Msisdn, step: Step | None) -> tuple[str, ...]:
        places = (_place(key), self._drafted(citizen))
        return (*places, counts_place(step.day)) if step else places

    def _drafted(self, citizen: Msisdn) -> str:
        return f"draft:{self._seal.index(citizen).hex()}"

    def _draft(self, content: bytes) -> Record | None:
        """A draft as its dialogue left it; its effects stay those of that dialogue."""
        place, _, kept = content.partition(b"\0")
        record = self._opened(kept)
        origin = place.decode("ascii", "replace").removeprefix("ussd:")
        return replace(record, origin=record.origin or origin) if record else None

    def _mark(self, written: bytes) -> bytes:
        return hashlib.blake2b(written, digest_size=MARK, key=self._mark_key).digest()

    def _opened(self, content: bytes) -> Record | None:
        try:
            return _read(json.loads(self._seal.open(content[HEAD:], ABOUT)))
        except (ValueError, TypeError, AttributeError):
            log.warning("ussd.session_unreadable")
            return None


def _place(key: str) -> str:
    return f"ussd:{key}"


_LATER: Final = ("day", "past", "prefix", "origin", "offered", "sorry", "marks", "marked_at")
_TUPLES: Final = ("past", "marks")
_USUAL: Final = {field.name: field.default for field in fields(Record)}


def _written(record: Record) -> bytes:
    found = [[found.outcome, dict(found.values)] for found in record.found]
    later = {name: value for name in _LATER if (value := getattr(record, name)) != _USUAL[name]}
    content = [record.version, record.language, record.keys, found, later]
    return json.dumps(content, sort_keys=True).encode()


def _read(content: Any) -> Record:
    version, language, keys, found, later = content
    record = Record(
        version=str(version),
        language=str(language),
        keys=tuple(str(key) for key in keys),
        found=tuple(Found(str(outcome), dict(values.items())) for outcome, values in found),
    )
    tuples: dict[str, Any] = {name: tuple(later.pop(name, ())) for name in _TUPLES}
    return replace(record, **later, **tuples)
