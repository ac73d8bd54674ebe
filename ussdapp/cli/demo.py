"""`ussdapp demo`, which `make run` calls."""

import json
from datetime import UTC, datetime
from typing import Final

import click

from ussdapp.cli.keys import issued, issued_mgov_key
from ussdapp.cli.opened import opened
from ussdapp.core.keys import SCOPES, KeyRequest
from ussdapp.sandbox.demo import institutions

_APPROVAL_ABOVE: Final = 2_000_000  # rows (CONTRACT section 2)


@click.command(hidden=True)
def demo() -> None:
    """Fill an empty database for the sandbox; print the institution and its key once."""
    with opened() as parts:
        if parts.institutions.all():
            click.echo("{}")
            return
        parts.institutions.add(institutions())
        parts.registers.change("ega", {"approval_above": _APPROVAL_ABOVE}, datetime.now(UTC))
        key = issued(parts, "ega", "demo", tuple(SCOPES))
        mgov = issued_mgov_key(parts, KeyRequest("ega", "demo", (), per_second=100_000))
    click.echo(json.dumps({"institution": "ega", "api_key": key, "mgov": mgov}))
