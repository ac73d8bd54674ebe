"""The command line for people: `ussdapp`."""

import json
import os
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

import click

from ussdapp.bootstrap import MENUS, Gateway, build_gateway
from ussdapp.core.inbound import Institution
from ussdapp.ports import Unavailable
from ussdapp.sandbox.demo import institutions as demo_institutions
from ussdapp.settings import SettingsRefused, read_settings
from ussdapp.stores.balance import balance as count_balance
from ussdapp.stores.menu_files import check_menus
from ussdapp.stores.migrate import migrate as run_migrations
from ussdapp.stores.why import why


class Refusal(click.ClickException):
    """One sentence, and exit code 1."""


def _gateway() -> Gateway:
    try:
        return build_gateway(read_settings(os.environ))
    except SettingsRefused as refusal:
        raise Refusal(str(refusal)) from refusal


def _say(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values()))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def main() -> None:
    """The USSD and SMS gateway of Tanzania's public institutions."""


@main.command()
def migrate() -> None:
    """Bring the schema up to date."""
    run_migrations(_gateway().settings.database_url)


@main.command()
@json_option
def balance(as_json: bool) -> None:
    """Prove that all that was accepted is accounted for; exit 0 only if it is."""
    told = count_balance(_gateway().database)
    rows = [
        {"institution": name, "accepted": sum(states.values()), "states": states}
        for name, states in told.institutions.items()
    ]
    if as_json:
        click.echo(json.dumps({"rows": rows, "troubles": told.troubles, "holds": told.holds}))
    else:
        _say(rows, as_json=False)
        for trouble, count in told.troubles.items():
            click.echo(f"does not add up: {trouble}: {count}")
        click.echo("holds" if told.holds else "does not hold")
    sys.exit(not told.holds)


@main.group()
def institutions() -> None:
    """Public bodies that use the gateway."""


@institutions.command("list")
@json_option
def list_institutions(as_json: bool) -> None:
    """All of them, by short name."""
    found = _gateway().institutions.all()
    _say(
        [{"short_name": i.short_name, "name": i.name_sw, "sector": i.sector} for i in found],
        as_json,
    )


@institutions.command("add")
@click.argument("short_name")
@click.argument("name_sw")
@click.argument("name_en")
@click.option("--sector", default="")
def add_institution(short_name: str, name_sw: str, name_en: str, sector: str) -> None:
    """Add one; its short name is what citizens type."""
    new = Institution(short_name.lower(), name_sw, name_en, sector)
    if not _gateway().institutions.add([new]):
        raise Refusal(f"{short_name} is taken: choose another short name")


@main.group()
def keys() -> None:
    """API keys of institutions."""


@keys.command("issue")
@click.argument("institution")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=["cases:reply"], show_default=True)
def issue_key(institution: str, name: str, scopes: tuple[str, ...]) -> None:
    """Issue a key; it is shown once."""
    click.echo(_issue(_gateway(), institution.lower(), name, scopes))


def _issue(gateway: Gateway, institution: str, name: str, scopes: tuple[str, ...]) -> str:
    key = f"ussd_live_{secrets.token_hex(24)}"
    try:
        gateway.institutions.issue_key(institution, name, key, scopes)
    except LookupError as trouble:
        raise Refusal(str(trouble)) from trouble
    return key


@main.group()
def menus() -> None:
    """What citizens read on their screens."""


@menus.command("check")
def check() -> None:
    """Prove the menu files; one sentence for each fault."""
    faults = check_menus(MENUS)
    for fault in faults:
        click.echo(fault)
    click.echo(f"{len(faults)} faults" if faults else "menus proven")
    sys.exit(bool(faults))


@main.group()
def notifications() -> None:
    """Single notifications."""


@notifications.command("why")
@click.argument("number", type=int)
def explain(number: int) -> None:
    """Say in one sentence where a notification stands and what happens next."""
    sentence = why(_gateway().database, number, datetime.now(UTC))
    if sentence is None:
        raise Refusal(f"there is no notification {number}")
    click.echo(sentence)


@main.command(hidden=True)
def demo() -> None:
    """Fill an empty database for the sandbox; print the institution and its key once."""
    gateway = _gateway()
    try:
        found = gateway.institutions.all()
    except Unavailable as trouble:
        raise Refusal("the database does not answer") from trouble
    if found:
        click.echo("{}")
        return
    gateway.institutions.add(demo_institutions())
    key = _issue(gateway, "ega", "demo", ("cases:reply",))
    click.echo(json.dumps({"institution": "ega", "api_key": key}))


if __name__ == "__main__":
    main()
