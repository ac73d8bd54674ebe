"""`ussdapp bulks`."""

import time
from datetime import UTC, datetime
from typing import Any, Final

import click

from ussdapp.cli.opened import Opened, opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.bulk import BulkView, NotNow
from ussdapp.core.quiet import Hours
from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.database import first, rows
from ussdapp.stores.seal import Seal
from ussdapp.usecases.stop_bulk import StopBulk

_BY: Final = "command line"
_LIST: Final = """
    SELECT b.id, i.short_name, b.name, b.class, b.status, b.total, b.accepted, b.rejected,
        b.accepted_at, b.send_at, b.detail
    FROM bulks b JOIN institutions i ON i.id = b.institution_id
    WHERE i.short_name = %(institution)s OR %(institution)s::text IS NULL
    ORDER BY b.id DESC LIMIT %(most)s
"""
_OF: Final = """
    SELECT i.short_name FROM bulks b JOIN institutions i ON i.id = b.institution_id WHERE b.id = %s
"""
_NAMES: Final = (
    "number", "institution", "name", "class", "status", "total", "accepted", "rejected",
    "accepted_at", "send_at", "detail",
)  # fmt: skip


@click.group()
def bulks() -> None:
    """Many notifications accepted at once."""


@bulks.command("list")
@click.argument("institution", required=False)
@click.option("--most", default=50, show_default=True, help="How many, the newest first.")
@json_option
def list_bulks(institution: str | None, most: int, *, as_json: bool) -> None:
    """The bulks of an institution, or of all."""
    values = {"institution": institution.lower() if institution else None, "most": most}
    with opened() as parts:
        found = parts.database.run(lambda link: rows(link, _LIST, values))
    say([dict(zip(_NAMES, row, strict=True)) for row in found], as_json=as_json, headed=True)


@bulks.command("show")
@click.argument("number", type=int)
@json_option
def show(number: int, *, as_json: bool) -> None:
    """Where a bulk stands, and how many of its rows are where."""
    with opened() as parts:
        view = _store(parts).view(_institution(parts, number), number)
    _tell(view, parts.settings.bulk_hours, as_json=as_json)


@bulks.command("stop")
@click.argument("number", type=int)
@json_option
def stop(number: int, *, as_json: bool) -> None:
    """Submit no further row of a bulk."""
    with opened() as parts:
        of = _institution(parts, number)
        try:
            view = StopBulk(_store(parts), time.sleep)(of, number, _BY, datetime.now(UTC))
        except NotNow as now:
            raise Refusal(f"bulk {number} is {now.status.value}") from now
    _tell(view, parts.settings.bulk_hours, as_json=as_json)


def _store(parts: Opened) -> PgBulks:
    settings = parts.settings
    return PgBulks(parts.database, Seal(settings.seal_key, settings.index_key))


def _institution(parts: Opened, number: int) -> str:
    """Whose it is. Raises Refusal."""
    row = parts.database.run(lambda link: first(link, _OF, (number,)))
    if row is None:
        raise Refusal(f"there is no bulk {number}")
    return str(row[0])


def _tell(view: BulkView, hours: Hours, *, as_json: bool) -> None:
    told: dict[str, Any] = {
        "number": view.id,
        "status": view.status.value,
        "total": view.total,
        "accepted": view.accepted,
        "rejected": view.rejected,
        "parts": view.parts,
        **{f"rows {name}" if name == "rejected" else name: count
           for name, count in view.counts.items()},
        "rate_per_s": view.rate_per_s,
        "eta_s": view.eta_s,
        "code": view.code,
        "detail": view.told(datetime.now(UTC), hours),
    }  # fmt: skip
    if as_json:
        say([told], as_json=True)
    else:
        say([{"what": name, "is": value} for name, value in told.items()], as_json=False)
