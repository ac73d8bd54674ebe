"""`ussdapp codes`: what institutions ask for, and what the gateway's operator decides of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import click

from ussdapp.bootstrap.codes import request_code
from ussdapp.cli.opened import MENUS, Opened, opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.branches import overlaid
from ussdapp.core.codes import (
    MEANS,
    Code,
    CodeKind,
    CodeRefused,
    CodeStatus,
    Condition,
    NoSuchCode,
)
from ussdapp.core.menu import Menu
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.keyword_files import KEYWORDS, read_services
from ussdapp.stores.menu_trees import Tree, folder_files
from ussdapp.stores.menu_versions import PgMenuVersions
from ussdapp.stores.seal import Seal
from ussdapp.usecases.request_code import AskedCode, RequestCode

_BY: Final = "command line"
# to people, who read `status` and what is `missing`
_TOLD_ELSEWHERE: Final = frozenset({"conditions", "late"})
_NUMBER: Final = click.argument("number", type=int)


@click.group()
def codes() -> None:
    """Sender IDs, keywords and service codes: asked for, allotted within three working days."""


@codes.command("request")
@click.argument("institution")
@click.argument("kind", type=click.Choice([kind.value for kind in CodeKind]))
@click.argument("value")
@click.option("--purpose", required=True, help="What citizens get by it.")
@click.option("--url", default="", help="Of a keyword: the https address its texts go to.")
@json_option
def request(
    institution: str, kind: str, value: str, purpose: str, url: str, *, as_json: bool
) -> None:
    """Ask for a code on an institution's behalf: a sender ID, a short code among them, a keyword,
    or a service code such as *152*00*34#. What a keyword's texts are signed with is shown here
    alone."""
    asked = AskedCode(CodeKind(kind), value, purpose, url, None, "")
    with opened() as parts:
        code = requested(parts, institution.lower(), asked)
    say([{**_told(code), "secret": code.secret or None}], as_json=as_json)


@codes.command("condition")
@_NUMBER
@click.argument("condition", type=click.Choice(list(MEANS)))
@click.option("--document", default="", help="What shows it, such as a file number.")
@json_option
def condition(number: int, condition: str, document: str, *, as_json: bool) -> None:
    """Note that a condition is met; with the last of them the three days begin."""
    _act(
        lambda parts, now: store(parts).meet(number, condition, document, _BY, now),
        as_json=as_json,
    )


@codes.command("allot")
@_NUMBER
@json_option
def allot(number: int, *, as_json: bool) -> None:
    """Give it: a sender ID and a keyword work within seconds. A service code shows once its option
    stands in menus/main.toml and its branch in menus/owners.toml."""
    _act(lambda parts, now: _allotted(parts, number, now), as_json=as_json)


@codes.command("refuse")
@_NUMBER
@click.argument("reason")
@json_option
def refuse(number: int, reason: str, *, as_json: bool) -> None:
    """Refuse it; the institution reads the reason."""
    _ended(number, CodeStatus.REFUSED, reason, as_json=as_json)


@codes.command("revoke")
@_NUMBER
@click.argument("reason")
@json_option
def revoke(number: int, reason: str, *, as_json: bool) -> None:
    """Take back what was allotted; within seconds it works no more."""
    _ended(number, CodeStatus.REVOKED, reason, as_json=as_json)


@codes.command("list")
@click.argument("institution", required=False)
@click.option(
    "--status", type=click.Choice([*(one.value for one in CodeStatus), "late"]),
    help="Only those that stand so.",
)  # fmt: skip
@json_option
def list_codes(institution: str | None, status: str | None, *, as_json: bool) -> None:
    """The codes of an institution, or of all, the newest first."""
    with opened() as parts:
        found = store(parts).of(institution.lower() if institution else None, live=True)
    told = [_told(code) for code in found if status in (None, code.standing)]
    if not as_json:
        told = [{name: one[name] for name in one if name not in _TOLD_ELSEWHERE} for one in told]
    say(told, as_json=as_json, headed=True)


def requested(parts: Opened, institution: str, asked: AskedCode, secret: str = "") -> Code:
    """A new request, live; a keyword's texts are signed with that secret, or a new one. Raises
    Refusal."""
    ask = _asking(parts)
    if secret:
        ask = replace(ask, new_key=lambda: secret)
    try:
        return ask(institution, asked, _BY, datetime.now(UTC), live=True)
    except (CodeRefused, LookupError) as trouble:
        raise Refusal(str(trouble)) from trouble


def _allotted(parts: Opened, number: int, now: datetime) -> Code:
    for code in store(parts).of(live=True, number=number):
        _asking(parts).check(code)
    return store(parts).decide(number, CodeStatus.ALLOTTED, "", _BY, now)


def _ended(number: int, to: CodeStatus, reason: str, *, as_json: bool) -> None:
    said = reason.strip()
    if not said:
        raise click.UsageError("give a reason: the institution reads it")
    _act(lambda parts, now: store(parts).decide(number, to, said, _BY, now), as_json=as_json)


def _act(act: Callable[[Opened, datetime], Code], *, as_json: bool) -> None:
    with opened() as parts:
        try:
            code = act(parts, datetime.now(UTC))
        except (NoSuchCode, ValueError) as trouble:
            raise Refusal(str(trouble)) from trouble
    say([_told(code)], as_json=as_json)


def _asking(parts: Opened) -> RequestCode:
    services = read_services(MENUS / KEYWORDS)
    return request_code(
        parts.settings, store(parts), parts.institutions, lambda: _menu(parts), services
    )


def store(parts: Opened) -> PgCodes:
    """The codes that are kept."""
    settings = parts.settings
    return PgCodes(parts.database, Seal(settings.seal_key, settings.index_key))


def _menu(parts: Opened) -> Menu:
    settings = parts.settings
    _, published = PgMenuVersions(parts.database).standing()
    values = {"namba_fupi": settings.short_code}
    files = overlaid(folder_files(MENUS), published)
    return Tree(files, parts.institutions.all(), settings.screen_budget, values).menu()


def _told(code: Code) -> dict[str, Any]:
    return {
        "number": code.id,
        "institution": code.institution,
        "kind": code.kind.value,
        "value": code.value,
        "status": code.standing,
        "requested_at": code.requested_at,
        "conditions": [_met(one) for one in code.conditions],
        "missing": list(code.missing),
        "due_at": code.due_at,
        "late": code.late,
        "decided_at": code.decided_at,
        "reason": code.reason,
    }


def _met(condition: Condition) -> str:
    return f"{condition.name} ({condition.document})" if condition.document else condition.name
