"""Knows who may use a route. A route that declares nothing is nobody's: it answers 404."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, NoReturn, TypeVar

from flask import abort, current_app, g, request

from ussdapp.core.keys import IssuedKey
from ussdapp.core.networks import client
from ussdapp.web.edge import RULE
from ussdapp.web.problems import Problem
from ussdapp.web.serving import asked, serving
from ussdapp.web.signed import CHALLENGE, STRANGER, verify

PUBLIC: Final = "public"
SANDBOX: Final = "sandbox"
_SCOPE: Final = "scope:"
_BEARER: Final = re.compile(r"bearer +([\x21-\x7e]{1,512})", re.IGNORECASE)
View = TypeVar("View", bound=Callable[..., object])


def scope(name: str) -> str:
    """The permission of API keys that have the scope."""
    return f"{_SCOPE}{name}"


def permission(name: str) -> Callable[[View], View]:
    """Declares who may use a view: PUBLIC, SANDBOX or a scope."""

    def declare(view: View) -> View:
        view.permission = name  # type: ignore[attr-defined]  # functions take attributes
        return view

    return declare


def test_keys_too(view: View) -> View:
    """Declares that a view texts no one, changes nothing live and reads of no citizen when the key
    is a test key; any other view refuses one."""
    view.test_keys = True  # type: ignore[attr-defined]  # functions take attributes
    return view


def permission_of(endpoint: str) -> str | None:
    """What the view of that endpoint declared."""
    return getattr(current_app.view_functions[endpoint], "permission", None)


def admit() -> None:
    """Lets a request with a route pass, or raises what the caller is to be told."""
    given = asked()
    if given.url_rule is None:
        return
    given.environ[RULE] = given.url_rule.rule
    declared = permission_of(given.url_rule.endpoint) or ""
    if declared.startswith(_SCOPE):
        _key(declared.removeprefix(_SCOPE))
    else:
        _GUARDS.get(declared, abort_404)()


def holder() -> IssuedKey:
    """Whom the key of this request speaks for."""
    found: IssuedKey = g.holder
    return found


def abort_404() -> NoReturn:
    """The one 404 there is: an unknown path, a wrong token and a wrong channel look the same."""
    abort(404)


def _pass() -> None:
    return


def _sandbox() -> None:
    if not serving().gateway.settings.sandbox:
        abort_404()


def _key(needed: str) -> None:
    given = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    parts = serving()
    found = parts.gateway.holder(given[1], parts.clock()) if given else None
    if found is None:
        raise Problem(401, STRANGER, headers=CHALLENGE)
    if isinstance(found, IssuedKey):
        admitted(found)
        if found.secret:
            verify(found)
    if needed not in found.scopes:
        raise Problem(403, f"The key lacks the scope {needed}.")
    if not (found.live or _takes_test_keys()):
        raise Problem(403, "A test key cannot do this.")
    g.holder = found


def admitted(key: IssuedKey) -> None:
    """Raises Problem 403 where the request comes from where the key may not be used, 429 when it
    comes too often."""
    if not key.comes_from(_address()):
        raise Problem(403, "The key may not be used from this address.")
    pause = serving().limits.pause(key.key_id, key.per_second)
    if pause > 0:
        headers = {"Retry-After": str(math.ceil(pause))}
        raise Problem(429, f"The key may be used {key.per_second} times a second.", (), headers)


def _address() -> str:
    """Whose the request is, as far as trusted proxies tell."""
    given, proxies = asked(), serving().gateway.settings.trusted_proxies
    return client(given.remote_addr or "", given.headers.get("X-Forwarded-For", ""), proxies)


def _takes_test_keys() -> bool:
    view = current_app.view_functions[request.endpoint or ""]
    return getattr(view, "test_keys", False)


_GUARDS: Final[Mapping[str, Callable[[], None]]] = {
    PUBLIC: _pass,
    SANDBOX: _sandbox,
}
