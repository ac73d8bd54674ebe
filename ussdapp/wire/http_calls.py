"""Knows the calls that channels make: a form or JSON that is posted, and a GET. Each is made on a
connection of its own, raises NotReached and NoAnswer, and follows no redirect."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ussdapp.wire.http import WireAnswer

Auth = tuple[str, str]  # Basic, where a name and a secret are given
Timeout = tuple[float, float]  # seconds to connect and to answer whole
_NO_AUTH: Final = ("", "")


def post_form(
    url: str, headers: Mapping[str, str], form: Mapping[str, str], timeout: Timeout
) -> WireAnswer:
    """POSTs a form."""
    return _called("POST", url, timeout, auth=_given(_NO_AUTH), headers=headers, data=form)


def post_json(url: str, said: object, auth: Auth, timeout: Timeout) -> WireAnswer:
    """POSTs JSON."""
    return _called("POST", url, timeout, auth=_given(auth), json=said)


def get(
    url: str,
    params: Mapping[str, str],
    timeout: Timeout,
    *,
    auth: Auth = _NO_AUTH,
    headers: Mapping[str, str] | None = None,
) -> WireAnswer:
    """GETs."""
    return _called("GET", url, timeout, auth=_given(auth), headers=headers, params=params)


def _given(auth: Auth) -> Auth | Callable[[Any], Any]:
    # given even where it is empty, or requests would look for one in ~/.netrc
    return auth if any(auth) else lambda request: request


def _called(method: str, url: str, timeout: Timeout, **asked: Any) -> WireAnswer:
    # a worker of an SMPP channel calls nobody: the library would be 5 MB of it
    from ussdapp.wire.http_client import called  # noqa: PLC0415

    return called(method, url, timeout, **asked)
