"""`ussdapp demo`, which `make run` calls."""

import json
from datetime import UTC, datetime
from typing import Final

import click

from ussdapp.cli.codes import requested, store
from ussdapp.cli.keys import issued, issued_mgov_key
from ussdapp.cli.opened import Opened, opened
from ussdapp.core.codes import CodeKind, CodeStatus
from ussdapp.core.keys import SCOPES, KeyRequest
from ussdapp.sandbox.demo import TEMPLATE, TEMPLATE_TEXTS, institutions
from ussdapp.stores.templates import PgTemplates
from ussdapp.usecases.request_code import AskedCode

_BY: Final = "demo"
_APPROVAL_ABOVE: Final = 2_000_000  # rows (CONTRACT section 2)


def allot_keyword(parts: Opened) -> None:
    """The keyword EGA, whose texts the sandbox's back office answers."""
    office = parts.settings.back_offices.get("gepg.bill")
    if office is None:
        return
    url, now = str(office["url"]).replace("gepg.bill", "demo.keyword"), datetime.now(UTC)
    asked = AskedCode(CodeKind.KEYWORD, "EGA", "Mfano", url, None, "")
    code = requested(parts, "ega", asked, str(office["secret"]))
    for condition in code.missing:
        store(parts).meet(code.id, condition, "", _BY, now)
    store(parts).decide(code.id, CodeStatus.ALLOTTED, "", _BY, now)


@click.command(hidden=True)
def demo() -> None:
    """Fill an empty database for the sandbox; print the institution and its key once."""
    with opened() as parts:
        if parts.institutions.all():
            click.echo("{}")
            return
        parts.institutions.add(institutions())
        parts.registers.change("ega", {"approval_above": _APPROVAL_ABOVE}, datetime.now(UTC))
        templates = PgTemplates(parts.database)
        templates.publish("ega", TEMPLATE, TEMPLATE_TEXTS, _BY, datetime.now(UTC))
        key = issued(parts, "ega", "demo", tuple(SCOPES))
        mgov = issued_mgov_key(parts, KeyRequest("ega", "demo", (), per_second=100_000))
        allot_keyword(parts)
    click.echo(json.dumps({"institution": "ega", "api_key": key, "mgov": mgov}))
