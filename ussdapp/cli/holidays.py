"""`ussdapp holidays`: what the clocks that run in working days leave out."""

from datetime import UTC, date, datetime

import click

from ussdapp.cli.opened import opened
from ussdapp.cli.said import json_option, say
from ussdapp.core.quiet import EAT
from ussdapp.stores.holidays import PgHolidays

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def holidays() -> None:
    """Tanzania's holidays, which are no working days."""


@holidays.command("list")
@click.argument("year", type=click.IntRange(2000, 2100), required=False)
@json_option
def list_holidays(year: int | None, *, as_json: bool) -> None:
    """The holidays of a year, this one by itself."""
    wanted = year or datetime.now(EAT).year
    with opened() as parts:
        found = PgHolidays(parts.database).all()
    say([one._asdict() for one in found if one.day.year == wanted], as_json=as_json)


@holidays.command("add")
@click.argument("day", type=_DAY, metavar="YYYY-MM-DD")
@click.argument("name")
def add(day: datetime, name: str) -> None:
    """Make a day a holiday, as it was announced; open clocks run by it at once."""
    _change(day.date(), name)


@holidays.command("remove")
@click.argument("day", type=_DAY, metavar="YYYY-MM-DD")
def remove(day: datetime) -> None:
    """Make a day a working day after all."""
    _change(day.date(), "")


def _change(day: date, name: str) -> None:
    with opened() as parts:
        PgHolidays(parts.database).change(day, name.strip(), "command line", datetime.now(UTC))
