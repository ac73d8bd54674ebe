"""Knows two more calls beside a posted form: JSON that is posted, and a GET; both with Basic auth
where a name and a secret are given."""

import time
from collections.abc import Mapping
from typing import Any, Final

import requests

from ussdapp.wire.http import WireAnswer, _body, _told_apart

Auth = tuple[str, str]
Timeout = tuple[float, float]  # seconds to connect and to answer whole
_NO_AUTH: Final = ("", "")


def post_json(url: str, said: object, auth: Auth, timeout: Timeout) -> WireAnswer:
    """POSTs JSON on a connection of its own. Raises NotReached and NoAnswer; follows no
    redirect."""
    return _called("POST", url, timeout, auth=_given(auth), json=said)


def get(
    url: str,
    params: Mapping[str, str],
    timeout: Timeout,
    *,
    auth: Auth = _NO_AUTH,
    headers: Mapping[str, str] | None = None,
) -> WireAnswer:
    """GETs on a connection of its own. Raises NotReached and NoAnswer; follows no redirect."""
    return _called("GET", url, timeout, auth=_given(auth), headers=headers, params=params)


def _given(auth: Auth) -> requests.auth.AuthBase:
    # given even where it is empty, or requests would look for one in ~/.netrc
    return requests.auth.HTTPBasicAuth(*auth) if any(auth) else _Unchanged()


class _Unchanged(requests.auth.AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _called(method: str, url: str, timeout: Timeout, **asked: Any) -> WireAnswer:
    deadline = time.monotonic() + sum(timeout)
    try:
        with requests.request(
            method, url, timeout=timeout, allow_redirects=False, stream=True, **asked
        ) as response:
            named = {name.lower(): value for name, value in response.headers.items()}
            return WireAnswer(response.status_code, named, _body(response, deadline))
    except requests.RequestException as trouble:
        raise _told_apart(trouble) from None
