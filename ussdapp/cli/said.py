"""Knows how commands speak: rows for people or as JSON, and refusals of one sentence."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Refusal(click.ClickException):
    """One sentence, and exit code 1."""


def say(rows: Sequence[Mapping[str, Any]], *, as_json: bool, headed: bool = False) -> None:
    """Prints rows, each a line, under the names of their columns where `headed`, or all of them as
    one JSON array."""
    if as_json:
        click.echo(json.dumps(list(rows), ensure_ascii=False, default=str))
        return
    heads = [list(rows[0])] if headed and rows else []
    texts = [*heads, *([_told(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for text in texts:
        cells = (cell.ljust(width) for cell, width in zip(text, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
