"""`ussdapp demo`, which `make run` calls."""

import json

import click

from ussdapp.cli.keys import issued, issued_mgov_key
from ussdapp.cli.opened import opened
from ussdapp.core.keys import SCOPES, KeyRequest
from ussdapp.sandbox.demo import institutions


@click.command(hidden=True)
def demo() -> None:
    """Fill an empty database for the sandbox; print the institution and its key once."""
    with opened() as parts:
        if parts.institutions.all():
            click.echo("{}")
            return
        parts.institutions.add(institutions())
        key = issued(parts, "ega", "demo", tuple(SCOPES))
        mgov = issued_mgov_key(parts, KeyRequest("ega", "demo", (), per_second=100_000))
    click.echo(json.dumps({"institution": "ega", "api_key": key, "mgov": mgov}))
