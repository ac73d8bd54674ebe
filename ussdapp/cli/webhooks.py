"""`ussdapp webhooks`."""

from typing import Final

import click

from ussdapp.cli.opened import opened
from ussdapp.cli.said import json_option, say
from ussdapp.stores.database import rows

# how many wait is counted no further: there may be a million
_LIST: Final = """
    SELECT i.short_name, w.name, w.live, w.events, w.off_at IS NULL, w.failures, w.detail,
        (SELECT count(*) FROM (SELECT FROM deliveries d WHERE d.webhook_id = w.id
            AND d.status = 'waiting' LIMIT 1000) d)
    FROM webhooks w JOIN institutions i ON i.id = w.institution_id
    WHERE i.short_name = %(institution)s OR %(institution)s::text IS NULL
    ORDER BY 1, 2, 3 DESC
"""
_NAMES: Final = ("institution", "name", "live", "events", "on", "failures", "detail", "waiting")


@click.group()
def webhooks() -> None:
    """Where institutions are told of events."""


@webhooks.command("list")
@click.argument("institution", required=False)
@json_option
def list_webhooks(institution: str | None, *, as_json: bool) -> None:
    """The webhooks of an institution, or of all: neither where they lead nor their secrets.
    `failures` are windows in a row that came to nothing; `waiting` is counted up to a thousand."""
    values = {"institution": institution.lower() if institution else None}
    with opened() as parts:
        found = parts.database.run(lambda link: rows(link, _LIST, values))
    say([dict(zip(_NAMES, row, strict=True)) for row in found], as_json=as_json, headed=True)
