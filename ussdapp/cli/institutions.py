"""`ussdapp institutions`."""

import re
from datetime import UTC, datetime
from typing import Final

import click

from ussdapp.cli.opened import opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.branches import MAIN
from ussdapp.core.inbound import Institution

_SHORT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,19}")


@click.group()
def institutions() -> None:
    """Public bodies that use the gateway."""


@institutions.command("list")
@json_option
def list_institutions(*, as_json: bool) -> None:
    """All of them, by short name."""
    with opened() as parts:
        found = parts.institutions.all()
    say(
        [{"short_name": i.short_name, "name": i.name_sw, "sector": i.sector} for i in found],
        as_json=as_json,
        headed=True,
    )


@institutions.command("add")
@click.argument("short_name")
@click.argument("name_sw")
@click.argument("name_en")
@click.option("--sector", default="")
def add_institution(short_name: str, name_sw: str, name_en: str, sector: str) -> None:
    """Add one; its short name is what citizens type."""
    new = Institution(short_name.lower(), name_sw, name_en, sector)
    if not _SHORT_NAME.fullmatch(new.short_name):
        raise Refusal("a short name has 2 to 20 letters, digits and dashes, no dash first")
    with opened() as parts:
        # the branch of the gateway itself is called main
        if new.short_name == MAIN or not parts.institutions.add([new]):
            raise Refusal(f"{short_name} is taken: choose another short name")


@institutions.command("set")
@click.argument("short_name")
@click.option("--name-sw", help="Its name in Kiswahili.")
@click.option("--name-en", help="Its name in English.")
@click.option("--sector")
@click.option(
    "--approval-above",
    type=click.IntRange(0, 2**31 - 1),
    help="Bulks of more rows than this wait until another person approves them.",
)
@click.option(
    "--quota-day",
    type=click.IntRange(0, 2**53),
    help="Parts that are accepted in a day of Tanzania; test keys are counted apart. 0: no limit.",
)
@click.option("--quota-month", type=click.IntRange(0, 2**53), help="The same for a month.")
@click.option(
    "--plain-text",
    type=click.Choice(["on", "off"]),
    callback=lambda _context, _option, given: given and given == "on",
    help="Replace look-alikes (curly quotes, dashes, NBSP) by GSM-7 characters in its texts.",
)
def set_institution(short_name: str, **changes: str | int | None) -> None:
    """Change what is given of one."""
    if all(value is None for value in changes.values()):
        raise click.UsageError("give what to change: see --help")
    with opened() as parts:
        try:
            parts.registers.change(short_name.lower(), changes, datetime.now(UTC))
        except LookupError as trouble:
            raise Refusal(str(trouble)) from trouble
