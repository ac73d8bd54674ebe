"""Knows where counts of dialogues lie: in Redis for up to a minute, in PostgreSQL for good."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from ussdapp.core.filing import day_of
from ussdapp.core.funnel import Drain, Fact, Period, Seen, day_read, facts
from ussdapp.ports import Unavailable
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.session_scripts import counts_place

_DAYS: Final = (1, 0, -1, -2, -3)  # counts wait for three days, and a clock may be ahead
_REMEMBERED: Final = timedelta(days=7)  # longer than any counts wait to be drained
_TAKE: Final = """
local taken = redis.call('HGETALL', KEYS[2])
if #taken == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('RENAME', KEYS[1], KEYS[2])
    taken = redis.call('HGETALL', KEYS[2])
end
return taken
"""
_FORGET: Final = """
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
_ADD: Final = """
    INSERT INTO funnel_facts AS kept
        (day, channel, language, screen, entries, exits, wrong, ended, buckets)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (day, channel, language, screen) DO UPDATE SET
        entries = kept.entries + excluded.entries,
        exits = kept.exits + excluded.exits,
        wrong = kept.wrong + excluded.wrong,
        ended = kept.ended + excluded.ended,
        buckets = (
            SELECT array_agg(a + b ORDER BY number)
            FROM unnest(kept.buckets, excluded.buckets) WITH ORDINALITY AS both_of (a, b, number))
"""
# A screen of an institution's branch is called `<branch>.<file>.<table>`, of main two of these.
_OF: Final = """
    SELECT day, channel, language, screen, entries, exits, wrong, ended, buckets
    FROM funnel_facts
    WHERE day BETWEEN %(first)s AND %(last)s AND (%(branch)s::text IS NULL OR %(branch)s =
        CASE WHEN split_part(screen, '.', 3) = '' THEN 'main' ELSE split_part(screen, '.', 1) END)
    ORDER BY day, screen, channel, language
"""


class RedisCounts:
    """Keeps usecases.count_steps.Counts: what the scripts of a session count."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)
        self._forget = redis.register_script(_FORGET)

    def drain(self, now: datetime) -> Iterator[Drain]:
        """Takes out what there is of yesterday, today and the days around. Raises Unavailable."""
        for days in _DAYS:
            day = day_of(now + timedelta(days=days))
            taken = self._run(self._take, [counts_place(day), _taken(day)], [])
            if taken:
                yield _drain(day, dict(zip(taken[::2], taken[1::2], strict=True)))

    def forget(self, drain: Drain) -> None:
        """Removes it, unless something else is in its place. Raises Unavailable."""
        day, _, number = drain.id.partition(":")
        self._run(self._forget, [_taken(day)], [number])

    def _run(self, script: Any, keys: list[str], arguments: list[str]) -> Any:
        try:
            return script(keys=keys, args=arguments)
        except RedisError as trouble:
            raise Unavailable("counts") from trouble


class PgFunnel:
    """Keeps usecases.count_steps.Facts, and tells what was kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, drain: Drain, at: datetime) -> bool:
        """Commits a drain's counts unless they were. Raises Unavailable."""

        def work(connection: Connection) -> bool:
            connection.execute(
                "DELETE FROM funnel_drains WHERE drained_at < %s", (at - _REMEMBERED,)
            )
            fresh = rows(
                connection,
                """INSERT INTO funnel_drains (id, drained_at) VALUES (%s, %s)
                ON CONFLICT DO NOTHING RETURNING id""",
                (drain.id, at),
            )
            if fresh and drain.facts:
                connection.cursor().executemany(_ADD, sorted(map(_row, drain.facts)))
            return bool(fresh)

        return self._database.run(work)

    def of(self, period: Period) -> tuple[Fact, ...]:
        """What became of the screens, by day and screen. Raises Unavailable."""
        values = {"first": period.first, "last": period.last, "branch": period.branch}
        found = self._database.run(lambda connection: rows(connection, _OF, values))
        return tuple(_fact(*row) for row in found)


def _taken(day: str) -> str:
    return f"funnel-taken:{day}"


def _drain(day: str, named: dict[bytes, bytes]) -> Drain:
    counts = {
        name.decode("utf-8", "replace"): int(count)
        for name, count in named.items()
        if name not in (b"id", b"steps")
    }
    number = named.get(b"id", b"").decode()
    return Drain(f"{day}:{number}", day_read(day), facts(day_read(day), counts))


def _fact(day: date, channel: str, language: str, screen: str, *counts: Any) -> Fact:
    entries, exits, wrong, ended, buckets = counts
    seen = Seen(channel, language, screen)
    return Fact(day, seen, entries, exits, wrong, ended, tuple(buckets))


def _row(fact: Fact) -> tuple[Any, ...]:
    seen = (fact.day, fact.seen.channel, fact.seen.language, fact.seen.screen)
    return (*seen, fact.entries, fact.exits, fact.wrong, fact.ended, list(fact.buckets))
