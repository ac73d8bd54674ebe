"""Knows how a bulk's rejections are written as CSV, for a spreadsheet to open."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from ussdapp.core.bulk import Rejection

_GUARDED: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


def written(found: Iterator[Rejection]) -> Iterator[str]:
    """CSV, a few hundred rows at a time."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(Rejection._fields)
    for number, rejection in enumerate(found, 1):
        writer.writerow([_guarded(str(cell)) for cell in rejection])
        if number % 500 == 0:
            yield page.getvalue()
            page.seek(0)
            page.truncate()
    yield page.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_GUARDED) else cell
