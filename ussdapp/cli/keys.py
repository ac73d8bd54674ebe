"""`ussdapp keys`."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from ussdapp.cli.opened import Opened, opened
from ussdapp.cli.said import Refusal, json_option, say


@click.group()
def keys() -> None:
    """API keys of institutions."""


@keys.command("issue")
@click.argument("institution")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=["cases:reply"], show_default=True)
def issue_key(institution: str, name: str, scopes: tuple[str, ...]) -> None:
    """Issue a key; it is shown once."""
    with opened() as parts:
        click.echo(issued(parts, institution.lower(), name, scopes))


@keys.command("list")
@click.argument("institution", required=False)
@json_option
def list_keys(institution: str | None, *, as_json: bool) -> None:
    """The keys of an institution, or all: everything but the keys themselves."""
    with opened() as parts:
        found = parts.registers.keys(institution.lower() if institution else None)
    say([asdict(key) for key in found], as_json=as_json)


@keys.command("revoke")
@click.argument("number", type=int)
def revoke_key(number: int) -> None:
    """End a key, by its number in the list."""
    with opened() as parts:
        try:
            parts.registers.revoke(number, datetime.now(UTC))
        except LookupError as trouble:
            raise Refusal(str(trouble)) from trouble


def issued(parts: Opened, institution: str, name: str, scopes: Sequence[str]) -> str:
    """A new key. Raises Refusal for an unknown institution."""
    key = f"ussd_live_{secrets.token_hex(24)}"
    try:
        parts.institutions.issue_key(institution, name, key, scopes)
    except LookupError as trouble:
        raise Refusal(str(trouble)) from trouble
    return key
