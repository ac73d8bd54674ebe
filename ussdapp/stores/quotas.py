"""Knows how parts are counted against an institution's quotas, in the transaction that accepts
them, and without a row that everybody waits for (migration quotas)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final, LiteralString

import psycopg

from ussdapp.core.notification import Class
from ussdapp.core.quota import OverQuota, Period, Quota, begins_anew
from ussdapp.stores.database import Connection, Database, first

_REFUSED: Final = "UQ001"  # SQLSTATE of share_quota
# Of what was accepted now: a repeat spends nothing. To be put before what reads `accepted`.
SPENT: Final[LiteralString] = """
    , spent AS MATERIALIZED (
        SELECT spend_parts(min(institution_id), %(live)s, %(class)s = 'urgent', %(day)s,
            count(*) * %(parts)s) FROM accepted HAVING count(*) > 0)
    SELECT id, channel FROM accepted CROSS JOIN spent ORDER BY id
"""
_SPEND: Final = "SELECT spend_parts(%s, %s, %s, %s, %s)"
_LEFT: Final = """
    SELECT i.quota_day,
        (i.quota_day - coalesce(sum(q.used) FILTER (WHERE q.day = %(day)s), 0))::bigint,
        i.quota_month, (i.quota_month - coalesce(sum(q.used), 0))::bigint
    FROM institutions i LEFT JOIN quota_shards q ON q.institution_id = i.id AND q.live = %(live)s
        AND q.day BETWEEN date_trunc('month', %(day)s::date) AND %(day)s
    WHERE i.short_name = %(institution)s GROUP BY i.id
"""
# As share_quota does; then whoever has something left of the old quota asks for the new one.
_ALONE: Final = """
    SELECT pg_advisory_xact_lock(1903521652, id) FROM institutions WHERE short_name = %s
"""
_RECALL: Final = """
    UPDATE quota_shards SET may = 0 WHERE shard >= 0 AND institution_id =
        (SELECT id FROM institutions WHERE short_name = %s)
"""


def spend(
    connection: Connection, institution_id: int, klass: Class, day: date, parts: int, *, live: bool
) -> None:
    """Counts the parts of a bulk that is checked. Raises what `refusing` reads."""
    values = (institution_id, live, klass is Class.URGENT, day, parts)
    connection.execute(_SPEND, values)


def recall(connection: Connection, institution: str) -> None:
    """Makes a quota that was changed in this transaction hold at once."""
    connection.execute(_ALONE, (institution,))
    connection.execute(_RECALL, (institution,))


@contextmanager
def refusing(day: date) -> Iterator[None]:
    """What the database refuses for a quota of that day is OverQuota."""
    try:
        yield
    except psycopg.DatabaseError as trouble:
        if trouble.sqlstate != _REFUSED:
            raise
        limits = json.loads(trouble.diag.message_detail or "[]")
        raise OverQuota(min(_quotas(limits, day), key=lambda quota: quota.left)) from None


def _quotas(limits: Sequence[int | None], day: date) -> tuple[Quota, ...]:
    """Those that are set, of a limit and what is left of it for each period."""
    return tuple(
        Quota(period, limit, max(0, rest), begins_anew(period, day))
        for period, limit, rest in zip(Period, limits[::2], limits[1::2], strict=True)
        if limit is not None and rest is not None
    )


class PgQuotas:
    """Raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, institution: str, day: date, *, live: bool) -> tuple[Quota, ...]:
        """The quotas an institution has, none where it has no limit."""
        values = {"institution": institution, "day": day, "live": live}
        row = self._database.run(lambda link: first(link, _LEFT, values))
        return _quotas(row, day) if row else ()
