"""`ussdapp notifications`."""

from datetime import UTC, datetime

import click

from ussdapp.cli.opened import opened
from ussdapp.cli.said import Refusal
from ussdapp.stores.why import why


@click.group()
def notifications() -> None:
    """Single notifications."""


@notifications.command("why")
@click.argument("number", type=int)
def explain(number: int) -> None:
    """Say in one sentence where a notification stands and what happens next."""
    with opened() as parts:
        sentence = why(parts.database, number, datetime.now(UTC))
    if sentence is None:
        raise Refusal(f"there is no notification {number}")
    click.echo(sentence)
