"""`ussdapp keys`."""

import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from ussdapp.cli.opened import Opened, opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.keys import SCOPES, KeyRequest, owner_named
from ussdapp.stores.keys import TooManyKeys

_SYSTEM_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another


@click.group()
def keys() -> None:
    """API keys of institutions."""


@keys.command("issue")
@click.argument("institution")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, default=["cases:reply"], show_default=True,
    type=click.Choice(list(SCOPES)), metavar="SCOPE", help=f"One of {', '.join(SCOPES)}.",
)  # fmt: skip
@click.option("--test", is_flag=True, help="A key that runs everything and texts no one.")
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="Where it may be used.")
@click.option(
    "--signed", is_flag=True,
    help="Each request must be signed with a secret; both are shown as JSON.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1), help="How long it is good; without it, until it is revoked."
)
@click.option("--per-second", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.option(
    "--for", "owner", callback=lambda _, __, given: _owner(given), metavar="PERSON",
    help="Whose it is: a staff e-mail address or a name. Nobody approves a bulk that was sent "
    "with another key of the same person.",
)  # fmt: skip
def issue_key(
    institution: str,
    name: str,
    scopes: tuple[str, ...],
    networks: tuple[str, ...],
    **more: Any,
) -> None:
    """Issue a key; it is shown once."""
    days, per_second, live = more["days"], more["per_second"], not more["test"]
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    short_name = institution.lower()
    request = KeyRequest(short_name, name, scopes, live, networks, per_second, until, more["owner"])
    secret = _new_secret() if more["signed"] else None
    with opened() as parts:
        _show(issued_key(parts, request, secret), secret)


@keys.command("replace")
@click.argument("number", type=int)
def replace_key(number: int) -> None:
    """Issue a key like another, by its number in the list; both are good for seven days at most,
    or until the old one is revoked."""
    with opened() as parts:
        before = [one for one in parts.registers.keys(None) if one.id == number]
        key = _new_key(live=all(one.live for one in before))
        secret = _new_secret() if any(one.signed for one in before) else None
        _or_refusal(lambda: parts.keys.replace(number, key, datetime.now(UTC), secret))
    _show(key, secret)


@keys.command("issue-mgov")
@click.argument("institution")
@click.argument("name")
@click.option("--user-id", help="The e-mail address that v1 clients send.")
@click.option("--mobile-service-id", help="As the client has it; without it a new one.")
@click.option("--test", is_flag=True, help="A key that runs everything and texts no one.")
@click.option("--per-second", default=50, show_default=True, type=click.IntRange(1, 100_000))
def issue_mgov_key(
    institution: str,
    name: str,
    user_id: str | None,
    mobile_service_id: str | None,
    per_second: int,
    *,
    test: bool,
) -> None:
    """Issue a key of the mGov API, v1 and v2, as JSON; its api_key is shown once."""
    request = KeyRequest(institution.lower(), name, (), not test, (), per_second)
    with opened() as parts:
        made = issued_mgov_key(parts, request, user_id, mobile_service_id)
    click.echo(json.dumps(made))


@keys.command("list")
@click.argument("institution", required=False)
@json_option
def list_keys(institution: str | None, *, as_json: bool) -> None:
    """The keys of an institution, or all: everything but the keys themselves."""
    with opened() as parts:
        found = parts.registers.keys(institution.lower() if institution else None)
    told = [asdict(key) for key in found]
    if not as_json:
        told = [{**one, "scopes": _by_what_they_are_of(one["scopes"])} for one in told]
    say(told, as_json=as_json, headed=True)


@keys.command("revoke")
@click.argument("number", type=int)
def revoke_key(number: int) -> None:
    """End a key, by its number in the list; within five seconds it is refused everywhere."""
    with opened() as parts:
        try:
            parts.registers.revoke(number, datetime.now(UTC))
        except LookupError as trouble:
            raise Refusal(str(trouble)) from trouble


def issued(parts: Opened, institution: str, name: str, scopes: Sequence[str]) -> str:
    """A new live key of few limits, for the sandbox. Raises Refusal."""
    return issued_key(parts, KeyRequest(institution, name, tuple(scopes), per_second=100_000))


def issued_key(parts: Opened, request: KeyRequest, secret: str | None = None) -> str:
    """A new key, and with a secret one that signs. Raises Refusal."""
    key = _new_key(live=request.live)
    _or_refusal(lambda: parts.keys.issue(request, key, datetime.now(UTC), secret))
    return key


def issued_mgov_key(
    parts: Opened,
    request: KeyRequest,
    user_id: str | None = None,
    mobile_service_id: str | None = None,
) -> dict[str, str]:
    """A new mGov key and its names, shaped as the portal's are. Raises Refusal."""
    system = "".join(secrets.choice(_SYSTEM_LETTERS) for _ in range(8))
    names = {
        "sys_id": f"{request.institution[:2].upper()}-{system}",
        "user_id": user_id or f"{system.lower()}@{request.institution}.go.tz",
        "mobile_service_id": mobile_service_id or str(100 + secrets.randbelow(9900)),
    }
    secret = str(uuid.UUID(bytes=secrets.token_bytes(16)))
    _or_refusal(lambda: parts.keys.issue_mgov(request, secret, names, datetime.now(UTC)))
    return {"api_key": secret, **names}


def _by_what_they_are_of(scopes: Sequence[str]) -> str:
    """Scopes for people: `notifications:read,send bulks:read`, or `all`."""
    if set(scopes) == set(SCOPES):
        return "all"
    named: dict[str, list[str]] = {}
    for scope in scopes:
        of, _, does = scope.partition(":")
        named.setdefault(of, []).append(does)
    return " ".join(f"{of}:{','.join(does)}" for of, does in named.items())


def _owner(given: str | None) -> str:
    try:
        return owner_named(given) if given is not None else ""
    except ValueError as trouble:
        raise click.BadParameter(str(trouble)) from trouble


def _new_key(*, live: bool) -> str:
    return f"ussd_{'live' if live else 'test'}_{secrets.token_hex(24)}"


def _new_secret() -> str:
    return f"ussd_sign_{secrets.token_hex(32)}"


def _show(key: str, secret: str | None) -> None:
    click.echo(key if secret is None else json.dumps({"key": key, "secret": secret}))


def _or_refusal(keep: Callable[[], None]) -> None:
    try:
        keep()
    except (LookupError, TooManyKeys, ValueError) as trouble:
        raise Refusal(str(trouble)) from trouble
