"""Knows which of some notifications are urgent."""

from collections.abc import Sequence
from typing import Final

from ussdapp.stores.database import Database, as_array, first

_COUNT: Final = """
    SELECT count(*) FROM notifications
    WHERE id = ANY (%s::text::bigint[]) AND class = 'urgent'
"""


def count_urgent(database: Database, ids: Sequence[int]) -> int:
    """How many of those are urgent; raises Unavailable."""
    row = database.run(lambda connection: first(connection, _COUNT, (as_array(ids),)))
    return int(row[0]) if row else 0
