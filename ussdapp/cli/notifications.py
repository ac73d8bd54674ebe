"""`ussdapp notifications`."""

from datetime import UTC, datetime

import click

from ussdapp.cli.opened import Opened, opened
from ussdapp.cli.said import Refusal
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.why import why


@click.group()
def notifications() -> None:
    """Single notifications."""


@notifications.command("why")
@click.argument("named", metavar="ID")
def explain(named: str) -> None:
    """Say in one sentence where a notification stands and what happens next.

    ID is the one that institutions are told, or the number it is counted by."""
    with opened() as parts:
        number = _number(parts, named)
        hours = parts.settings.bulk_hours
        sentence = number and why(parts.database, number, datetime.now(UTC), hours)
    if not sentence:
        raise Refusal(f"there is no notification {named}")
    click.echo(sentence)


def _number(parts: Opened, named: str) -> int | None:
    if named.isascii() and named.isdigit() and len(named) < 19:
        return int(named)
    return PublicIds(parts.settings.index_key, "notice").read(named)
