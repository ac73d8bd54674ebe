"""`ussdapp menus funnel`."""

from datetime import UTC, date, datetime
from typing import Final

import click

from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.funnel import Fact, Period
from ussdapp.core.quiet import eat_day

DAY: Final = click.DateTime(["%Y-%m-%d"])


@click.command("funnel")
@click.argument("branch", required=False)
@click.option("--from", "first", type=DAY, help="The first day (YYYY-MM-DD), or the last alone.")
@click.option("--to", "last", type=DAY, help="The last day; by default today in Tanzania.")
@json_option
def funnel(
    branch: str | None, first: datetime | None, last: datetime | None, *, as_json: bool
) -> None:
    """What became of each screen on each day: entries, exits, drop-offs, wrong keys, how many
    dialogues ended there, and the median time before a key. Nothing is known of who or what. With
    a BRANCH (main, or an institution) only its screens. Counts come once a minute."""
    from ussdapp.cli.opened import opened  # noqa: PLC0415 - `menus check` needs no database
    from ussdapp.stores.funnel import PgFunnel  # noqa: PLC0415

    period = Period(*days_asked(first, last), branch.lower() if branch else None)
    with opened() as parts:
        found = PgFunnel(parts.database).of(period)
    rows = [_row(fact) for fact in found]
    if not rows and not as_json:
        days = f"{period.first} to {period.last}"
        click.echo(f"Nothing was counted from {days}{f' in {branch.lower()}' if branch else ''}.")
        return
    say(rows, as_json=as_json, headed=True)


def days_asked(first: datetime | None, last: datetime | None) -> tuple[date, date]:
    """The first day and the last; by itself the last is today in Tanzania, and the first is it."""
    end = last.date() if last else eat_day(datetime.now(UTC))
    begin = first.date() if first else end
    if begin > end:
        raise Refusal("--from is after --to")
    return begin, end


def _row(fact: Fact) -> dict[str, object]:
    return {
        "day": fact.day.isoformat(),
        "screen": fact.seen.screen,
        "channel": fact.seen.channel,
        "language": fact.seen.language,
        "entries": fact.entries,
        "exits": fact.exits,
        "dropped": fact.dropped,
        "wrong": fact.wrong,
        "ended": fact.ended,
        "median_s": fact.median_s,
    }
