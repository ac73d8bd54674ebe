"""`ussdapp usage`."""

from datetime import datetime

import click

from ussdapp.cli.funnel import DAY, days_asked
from ussdapp.cli.opened import opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.stores.usage import PgUsage


@click.command("usage")
@click.option("--institution", help="Its short name; without it, all of them.")
@click.option("--from", "first", type=DAY, help="The first day (YYYY-MM-DD), or the last alone.")
@click.option("--to", "last", type=DAY, help="The last day; by default today in Tanzania.")
@json_option
def usage(
    institution: str | None, first: datetime | None, last: datetime | None, *, as_json: bool
) -> None:
    """What institutions used on each day, and what it cost, as it was counted last. What was
    simulated is on channel `simulated` and costs nothing; no institution is the gateway itself."""
    begin, end = days_asked(first, last)
    with opened() as parts:
        known = parts.institutions.named(institution) if institution else None
        if institution and known is None:
            raise Refusal(f"no institution has the short name {institution!r}")
        found = PgUsage(parts.database, parts.settings.prices).of(known, begin, end)
    rows = [
        {
            "day": one.day.isoformat(),
            "institution": one.institution,
            "class": one.klass.value,
            "channel": one.channel,
            "status": one.status.value,
            "notifications": one.notifications,
            "parts": one.parts,
            "taken": one.taken,
            "cost_tzs": None if one.cost is None else float(one.cost),
        }
        for one in found.used
    ]
    say(rows, as_json=as_json, headed=True)
