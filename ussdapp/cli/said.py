"""Knows how commands speak: rows for people or as JSON, and refusals of one sentence."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import click

from ussdapp.core.quiet import EAT

_EMPTY: Final[tuple[object, ...]] = (None, "", [], ())
json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Refusal(click.ClickException):
    """One sentence, and exit code 1."""


def say(rows: Sequence[Mapping[str, Any]], *, as_json: bool, headed: bool = False) -> None:
    """Prints rows, each a line, or all of them as one JSON array. Where `headed`, the names of the
    columns stand above, and a column that no row fills is left out. Times are EAT for people."""
    if as_json:
        click.echo(json.dumps(list(rows), ensure_ascii=False, default=str))
        return
    names = list(rows[0]) if rows else []
    if headed:
        names = [name for name in names if any(row[name] not in _EMPTY for row in rows)]
    heads = [names] if headed and rows else []
    texts = [*heads, *([_told(row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for text in texts:
        cells = (cell.ljust(width) for cell, width in zip(text, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return value.astimezone(EAT).strftime("%Y-%m-%d %H:%M")
    return "-" if value is None else str(value)
