"""`ussdapp balance`."""

import json
import sys

import click

from ussdapp.cli.opened import opened
from ussdapp.cli.said import json_option, say
from ussdapp.stores.balance import balance as count_balance


@click.command()
@json_option
def balance(*, as_json: bool) -> None:
    """Prove that all that was accepted is accounted for; exit 0 only if it is."""
    with opened() as parts:
        told = count_balance(parts.database)
    rows = [
        {"institution": name, "accepted": account.accepted, "states": dict(account.states)}
        for name, account in told.institutions.items()
    ]
    if as_json:
        click.echo(json.dumps({"rows": rows, "troubles": dict(told.troubles), "holds": told.holds}))
    else:
        say(rows, as_json=False)
        for name, account in told.institutions.items():
            if not account.holds:
                click.echo(f"does not add up: {name}")
        for trouble, count in told.troubles.items():
            click.echo(f"does not add up: {trouble}: {count}")
        click.echo("holds" if told.holds else "does not hold")
    sys.exit(not told.holds)
