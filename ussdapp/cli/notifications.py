"""`ussdapp notifications`."""

import getpass
from datetime import UTC, datetime

import click

from ussdapp.cli.opened import Opened, opened
from ussdapp.cli.said import Refusal
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.resending import NotSettled, Settling
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


@notifications.command("settle")
@click.argument("named", metavar="ID")
@click.option(
    "--resend/--leave", "resend", default=None, required=True,
    help="Submit its one further copy, or leave it in doubt until a receipt tells.",
)  # fmt: skip
@click.option("--because", required=True, help="Why, for the record; no MSISDN, no text.")
@click.option(
    "--by", default=getpass.getuser, help="Who decides, for the record; by default your login."
)
def settle(named: str, *, resend: bool, because: str, by: str) -> None:
    """Decide about a transaction in doubt: the operator may have taken it or not."""
    with opened() as parts:
        number = _number(parts, named)
        if number is None:
            raise Refusal(f"there is no notification {named}")
        settling = Settling(parts.database)
        decide = settling.resend if resend else settling.leave
        try:
            decide(number, by, because, datetime.now(UTC))
        except NotSettled as refused:
            raise Refusal(f"notification {named}: {refused}") from refused
    click.echo(f"notification {named} " + ("is queued again" if resend else "is left in doubt"))


def _number(parts: Opened, named: str) -> int | None:
    if named.isascii() and named.isdigit() and len(named) < 19:
        return int(named)
    return PublicIds(parts.settings.index_key, "notice").read(named)
