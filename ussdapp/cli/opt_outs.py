"""`ussdapp opt-outs`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from ussdapp.cli.opened import Opened, opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.msisdn import NotAnMsisdn
from ussdapp.core.opt_outs import Learnt
from ussdapp.stores.opt_out_register import PgOptOutRegister
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.stores.seal import Seal
from ussdapp.wire.numbering import read_msisdn

_of = click.option("--institution", help="Its short name; without it, of all but urgent.")


@click.group("opt-outs")
def opt_outs() -> None:
    """Who wants no more texts."""


@opt_outs.command("list")
@click.option("--institution", help="Only those that concern it.")
@click.option("--most", default=100, show_default=True, type=click.IntRange(1, 10_000))
@json_option
def list_opt_outs(institution: str | None, most: int, *, as_json: bool) -> None:
    """Those that changed last, MSISDNs masked."""
    with opened() as parts:
        found = _register(parts).latest(_known(parts, institution), most)
    say(
        [
            {
                "msisdn": str(one.msisdn) if one.msisdn else None,
                "of": one.institution or "all",
                "since": one.since.isoformat(timespec="seconds"),
                "until": one.until.isoformat(timespec="seconds") if one.until else None,
                "learnt": one.learnt.value if one.learnt else None,
            }
            for one in found
        ],
        as_json=as_json,
        headed=True,
    )


@opt_outs.command("add")
@click.argument("msisdn")
@_of
def add_opt_out(msisdn: str, institution: str | None) -> None:
    """Record that a citizen told you to stop."""
    _change(msisdn, institution, PgOptOuts.opt_out)


@opt_outs.command("end")
@click.argument("msisdn")
@_of
def end_opt_out(msisdn: str, institution: str | None) -> None:
    """Record that a citizen told you to start again; without an institution, of all of them."""
    _change(msisdn, institution, PgOptOuts.opt_in)


def _change(msisdn: str, institution: str | None, change: Callable[..., Any]) -> None:
    try:
        known = read_msisdn(msisdn)
    except NotAnMsisdn:
        raise Refusal("it is no MSISDN of Tanzania: 255 and nine digits") from None
    with opened() as parts:
        store = PgOptOuts(parts.database, _seal(parts))
        change(store, known, _known(parts, institution), datetime.now(UTC), Learnt.PERSON)


def _known(parts: Opened, institution: str | None) -> str | None:
    if institution is None:
        return None
    found = parts.institutions.named(institution)
    if found is None:
        raise Refusal(f"no institution has the short name {institution!r}")
    return found


def _register(parts: Opened) -> PgOptOutRegister:
    return PgOptOutRegister(parts.database, _seal(parts), parts.settings.index_key)


def _seal(parts: Opened) -> Seal:
    return Seal(parts.settings.seal_key, parts.settings.index_key)
