"""Knows the sealed blocks in which a bulk's recipients, or its file, wait to be checked."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from io import BufferedReader
from typing import IO, Any, Final

from ussdapp.stores.bulk_files import Sealed
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.seal import Seal

A_BLOCK: Final = 1000  # recipients that are sealed as one
A_PIECE: Final = 256 * 1024  # octets of a file that are sealed as one
_SEALED: Final = "bulk_blocks.sealed"
_ABANDONED: Final = timedelta(hours=1)
_READ: Final = "SELECT sealed FROM bulk_blocks WHERE bulk_id = %s AND number = %s"
_LAST: Final = """
    SELECT number FROM bulk_blocks WHERE bulk_id = %s ORDER BY number DESC LIMIT 1
"""
_KEEP: Final = """
    INSERT INTO bulk_blocks (bulk_id, number, sealed) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_FORGET: Final = "DELETE FROM bulk_blocks WHERE bulk_id = %s"
_FORGET_LOST: Final = """
    DELETE FROM bulk_blocks k WHERE kept_at < %s AND NOT EXISTS (
        SELECT FROM bulks b WHERE b.id = k.bulk_id AND b.status = 'checking')
"""


class PgBulkBlocks:
    """Keeps import_bulk.BulkBlocks. All that ask PostgreSQL raise Unavailable."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def recipients(self, number: int, after: int) -> Iterator[Any]:
        """The recipients of a bulk after so many."""
        skipped = after % A_BLOCK
        for octets in self.pieces(number, after // A_BLOCK):
            yield from json.loads(octets)[skipped:]
            skipped = 0

    def pieces(self, number: int, start: int = 0) -> Iterator[bytes]:
        """The octets of its blocks, one after the other."""
        while (octets := self._piece(number, start)) is not None:
            yield octets
            start += 1

    def file(self, number: int) -> IO[bytes]:
        """Its file, to be sought in."""
        return BufferedReader(Sealed(partial(self._piece, number), self._size(number), A_PIECE))

    def closed(self, recipients: Sequence[Any]) -> list[bytes]:
        """Recipients as they are kept, a block each."""
        starts = range(0, len(recipients), A_BLOCK)
        return [self._closed(recipients[start : start + A_BLOCK]) for start in starts]

    def keep_file(self, number: int, file: IO[bytes]) -> None:
        """Commits each piece of it by itself, so that it is nowhere in memory."""
        place = 0
        while piece := file.read(A_PIECE):
            values = (number, place, self._seal.close(piece, _SEALED))
            self._database.run(partial(_keep, values=values))
            place += 1

    def _closed(self, recipients: Sequence[Any]) -> bytes:
        octets = json.dumps(recipients, ensure_ascii=False, separators=(",", ":"))
        return self._seal.close_text(octets, _SEALED)

    def _piece(self, number: int, place: int) -> bytes | None:
        """The octets of one block; None behind the last."""
        row = self._database.run(lambda link: first(link, _READ, (number, place)))
        return self._seal.open(row[0], _SEALED) if row else None

    def _size(self, number: int) -> int:
        """The octets of its file."""
        row = self._database.run(lambda link: first(link, _LAST, (number,)))
        return row[0] * A_PIECE + len(self._piece(number, row[0]) or b"") if row else 0


def forget(connection: Connection, number: int) -> None:
    """Deletes the blocks of a bulk: all of it is checked."""
    connection.execute(_FORGET, (number,))


def forget_lost(database: Database, now: datetime) -> None:
    """Deletes blocks of uploads that were never finished, and of bulks that are checked. Raises
    Unavailable."""
    values = (now - _ABANDONED,)
    database.run(lambda link: link.execute(_FORGET_LOST, values) and None)


def _keep(connection: Connection, values: tuple[int, int, bytes]) -> None:
    connection.execute(_KEEP, values)
