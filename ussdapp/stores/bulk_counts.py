"""Knows how the rows of a bulk are counted: those of a small one whenever somebody asks, those of a
large one by the importing worker, in slices and no oftener than it can be afforded."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from ussdapp.core.bulk import WAITING, BulkStatus, counted, standing
from ussdapp.stores.database import Connection, Database, first, rows

_SLICE: Final = 50_000  # rows counted in one transaction
_SHARE: Final = 20  # a count is made anew after so many times what it took
_LATEST: Final = timedelta(hours=72)  # in which receipts still change what was counted
_STATUSES: Final = """
    SELECT status, count(*) FROM notifications
    WHERE bulk_id = %s AND row_no BETWEEN %s AND %s GROUP BY status
"""
_SUBMITTING: Final = """
    SELECT count(*) FROM windows w CROSS JOIN LATERAL unnest(w.ids) AS i (number)
    JOIN notifications n ON n.id = i.number WHERE n.bulk_id = %s AND n.status = 'queued'
"""
_DUE: Final = """
    SELECT id, status, accepted, read, counts, counted_at, released_at, coalesce(send_at,
        released_at) FROM bulks
    WHERE released_at IS NOT NULL AND (ended_at IS NULL OR (ended_at > %s
        AND counts ?| ARRAY['queued', 'submitting', 'submitted', 'in_doubt']))
"""
_KEEP: Final = """
    UPDATE bulks SET counts = %(counts)s, counted_at = %(now)s,
        rate_per_s = CASE WHEN status IN ('queued', 'sending') THEN %(rate)s ELSE rate_per_s END,
        status = CASE WHEN status IN ('queued', 'sending') THEN %(status)s ELSE status END,
        ended_at = CASE WHEN status IN ('queued', 'sending') AND %(over)s THEN %(now)s
            ELSE ended_at END
    WHERE id = %(id)s
"""
_MOST: Final = 2**31 - 1


def found(connection: Connection, number: int) -> tuple[dict[str, int], int]:
    """How many rows of a bulk have which status, and how many of those queued are in a window."""
    submitting = first(connection, _SUBMITTING, (number,))
    statuses = rows(connection, _STATUSES, (number, 0, _MOST))
    return dict(statuses), submitting[0] if submitting else 0


def eta(counts: Mapping[str, int], rate: float | None) -> int | None:
    """Seconds until nothing waits, at that rate; None while it does not move."""
    waiting = sum(counts.get(name, 0) for name in WAITING)
    if not waiting:
        return 0
    return round(waiting / rate) if rate else None


class BulkCounts:
    """Counts what moves; `ticks` are seconds."""

    def __init__(self, database: Database, ticks: Callable[[], float]) -> None:
        self._database = database
        self._ticks = ticks
        self._due: dict[int, float] = {}

    def refresh(self, now: datetime) -> None:
        """Counts each bulk under way whose count is old."""
        under_way = self._database.run(lambda link: rows(link, _DUE, (now - _LATEST,)))
        self._due = {row[0]: self._due.get(row[0], 0.0) for row in under_way}
        for row in under_way:
            began = self._ticks()
            if began >= self._due[row[0]]:
                self._count(row, now)
                took = self._ticks() - began
                self._due[row[0]] = began + max(1.0, _SHARE * took)

    def _count(self, row: tuple[Any, ...], now: datetime) -> None:
        number, stored, accepted, last, before, counted_at, released_at, begins = row
        statuses: Counter[str] = Counter()
        for start in range(0, last + 1, _SLICE):
            values = (number, start, start + _SLICE - 1)
            statuses.update(dict(self._database.run(partial(rows, query=_STATUSES, values=values))))
        moving = self._database.run(lambda link: first(link, _SUBMITTING, (number,)))
        counts = counted(statuses, moving[0] if moving else 0, BulkStatus(stored))
        stands = standing(BulkStatus(stored), counts, accepted)
        over = stands is BulkStatus.FINISHED
        since = max(begins, released_at) if over else counted_at or released_at
        gone = accepted if over else _gone(counts) - _gone(before)
        told = {
            "id": number,
            "counts": json.dumps({name: count for name, count in counts.items() if count}),
            "now": now,
            "rate": max(0.0, gone / max((now - since).total_seconds(), 0.1)),
            "status": stands.value,
            "over": over,
        }
        self._database.run(lambda link: link.execute(_KEEP, told) and None)


def _gone(counts: Mapping[str, int]) -> int:
    return sum(count for name, count in counts.items() if name not in WAITING)
