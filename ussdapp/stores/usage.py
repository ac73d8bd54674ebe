"""Knows usage as daily facts. They are counted from the notifications in slices, each a short query
of its own, so that a count of millions holds up nobody; what changed is written at once."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from ussdapp.core.notification import Class
from ussdapp.core.quiet import EAT, eat_day
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status
from ussdapp.core.usage import Usage, Used
from ussdapp.stores.database import Connection, Database, first, named, rows

_SLICE: Final = 100_000  # ids; a row that comes late has at most so many lower than its day's first
_TEN_DAYS: Final = timedelta(days=10)  # in which receipts come
_BOUNDS: Final = """
    SELECT greatest(0, (SELECT min(first_id) FROM usage_days WHERE day >= %(start)s) - %(slice)s),
        coalesce((SELECT max(id) FROM notifications), 0)
"""
# What a receipt ended was taken before; what an answer or a claim ended was not.
_COUNT: Final = """
    SELECT (accepted_at AT TIME ZONE 'Africa/Dar_es_Salaam')::date, coalesce(institution_id, 0),
        class, channel, status, count(*), sum(parts), sum(CASE
            WHEN status IN ('submitted', 'delivered', 'undelivered', 'in_doubt')
                OR (status IN ('rejected', 'expired') AND detail = 'receipt')
            THEN parts * greatest(copies, 1) ELSE 0 END), min(id)
    FROM notifications
    WHERE id BETWEEN %(low)s AND %(high)s AND accepted_at >= %(since)s
    GROUP BY 1, 2, 3, 4, 5
"""
_KEEP: Final = """
    WITH found AS (
        SELECT * FROM unnest(%(days)s::date[], %(institutions)s::int[], %(classes)s::text[],
            %(channels)s::text[], %(statuses)s::text[], %(notifications)s::bigint[],
            %(parts)s::bigint[], %(takens)s::bigint[]) AS t
            (day, institution_id, class, channel, status, notifications, parts, taken)),
    gone AS (
        DELETE FROM usage_facts u WHERE day >= %(start)s AND NOT EXISTS (SELECT FROM found f
            WHERE (f.institution_id, f.day, f.class, f.channel, f.status)
                = (u.institution_id, u.day, u.class, u.channel, u.status)))
    INSERT INTO usage_facts AS u
        (day, institution_id, class, channel, status, notifications, parts, taken)
    SELECT * FROM found
    ON CONFLICT (day, institution_id, class, channel, status) DO UPDATE SET
        notifications = excluded.notifications, parts = excluded.parts, taken = excluded.taken
    WHERE (u.notifications, u.parts, u.taken)
        IS DISTINCT FROM (excluded.notifications, excluded.parts, excluded.taken)
"""
# The price that a day began with stays that day's.
_DAYS: Final = """
    INSERT INTO usage_days AS d (day, first_id, prices, counted_at)
    SELECT day, first_id, %(prices)s::text::jsonb, %(now)s
    FROM unnest(%(days)s::date[], %(firsts)s::bigint[]) AS t (day, first_id)
    ON CONFLICT (day) DO UPDATE SET first_id = least(d.first_id, excluded.first_id),
        prices = excluded.prices || d.prices, counted_at = excluded.counted_at
"""
_OF: Final = """
    SELECT u.day, i.short_name, u.class, u.channel, u.status, u.notifications, u.parts, u.taken,
        CASE WHEN u.taken = 0 OR u.channel = %(simulated)s THEN 0
            ELSE u.taken * (d.prices ->> u.channel)::numeric END
    FROM usage_facts u LEFT JOIN usage_days d USING (day)
    LEFT JOIN institutions i ON i.id = u.institution_id
    WHERE u.day BETWEEN %(first)s AND %(last)s
        AND (%(institution)s::text IS NULL OR u.institution_id =
            (SELECT id FROM institutions WHERE short_name = %(institution)s))
        AND (NOT %(tried)s OR u.channel = %(simulated)s)
    ORDER BY u.day, i.short_name NULLS FIRST, u.class, u.channel, u.status
"""
_COUNTED: Final = "SELECT max(counted_at) FROM usage_days"
_EARLIEST: Final = date(2000, 1, 1)  # before the first notification
_Key = tuple[date, int, str, str, str]


class PgUsage:
    """All raise Unavailable."""

    def __init__(self, database: Database, prices: Mapping[str, Decimal]) -> None:
        self._database = database
        self._prices = json.dumps({name: str(price) for name, price in prices.items()})

    def count(self, now: datetime, days_back: int = _TEN_DAYS.days) -> int:
        """Counts anew what was accepted so many days back and since, and since the last count;
        everything where nothing was ever counted. Returns how many notifications."""
        today = eat_day(now)
        row = self._database.run(lambda link: first(link, _COUNTED))
        counted_on = eat_day(row[0]) if row and row[0] else _EARLIEST
        start = min(today - timedelta(days=days_back), counted_on)
        values = {"start": start, "slice": _SLICE}
        bounds = self._database.run(lambda link: first(link, _BOUNDS, values))
        assert bounds
        low, high = bounds
        facts, firsts = self._counted(low, high, start)
        # today is noted also when nothing was sent: its rows will have higher ids
        days = {today: high + 1, **firsts}
        self._database.run(lambda link: self._keep(link, facts, days, start, now))
        return sum(fact[0] for fact in facts.values())

    def of(
        self, institution: str | None, first_day: date, last_day: date, *, tried: bool = False
    ) -> Usage:
        """What was used on those days, by one institution or by all; where it is only `tried`,
        what was simulated alone."""
        values = {
            "institution": institution,
            "first": first_day,
            "last": last_day,
            "tried": tried,
            "simulated": SIMULATED,
        }

        def work(connection: Connection) -> Usage:
            counted = first(connection, _COUNTED)
            found = rows(connection, _OF, values)
            return Usage(tuple(map(_used, found)), counted[0] if counted else None)

        return self._database.run(work)

    def _counted(
        self, low: int, high: int, start: date
    ) -> tuple[dict[_Key, list[int]], dict[date, int]]:
        since = datetime.combine(start, time(), EAT)
        facts: dict[_Key, list[int]] = {}
        firsts: dict[date, int] = {}
        for begin in range(low, high + 1, _SLICE):
            values = {"low": begin, "high": min(high, begin + _SLICE - 1), "since": since}
            for row in self._database.run(partial(rows, query=_COUNT, values=values)):
                sums = facts.setdefault(row[:5], [0, 0, 0])
                for place, added in enumerate(row[5:8]):
                    sums[place] += int(added)
                firsts[row[0]] = min(row[8], firsts.get(row[0], row[8]))
        return facts, firsts

    def _keep(
        self,
        connection: Connection,
        facts: Mapping[_Key, list[int]],
        days: Mapping[date, int],
        start: date,
        now: datetime,
    ) -> None:
        names = "days institutions classes channels statuses notifications parts takens"
        values = named(names, [(*key, *sums) for key, sums in facts.items()])
        connection.execute(_KEEP, {**values, "start": start})
        connection.execute(_DAYS, {
            "days": list(days), "firsts": list(days.values()), "prices": self._prices, "now": now,
        })  # fmt: skip


def _used(row: tuple[Any, ...]) -> Used:
    return Used(row[0], row[1], Class(row[2]), row[3], Status(row[4]), *row[5:])
