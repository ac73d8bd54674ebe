"""Knows the library that calls out by HTTP, and what its troubles mean."""

import ssl
import time
from typing import Any, Final

import requests
from urllib3.exceptions import NewConnectionError

from ussdapp.wire.http import MOST_ANSWER, NoAnswer, NotReached, WireAnswer

_CHUNK: Final = 1 << 14


def called(method: str, url: str, timeout: tuple[float, float], **asked: Any) -> WireAnswer:
    """What was answered on a connection of its own. Raises NotReached and NoAnswer; follows no
    redirect: a POST that moves turns into a GET."""
    # A kept connection may be closed by the far end just as we write, which would be a doubt:
    # a new one costs two round trips and none.
    deadline = time.monotonic() + sum(timeout)
    try:
        with requests.request(
            method, url, timeout=timeout, allow_redirects=False, stream=True, **asked
        ) as response:
            named = {name.lower(): value for name, value in response.headers.items()}
            return WireAnswer(response.status_code, named, _body(response, deadline))
    except requests.RequestException as trouble:
        raise _told_apart(trouble) from None


def _body(response: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MOST_ANSWER:
            raise NoAnswer("the answer is too long to be one")
        if time.monotonic() > deadline:
            raise NoAnswer("the answer came too slowly")
    return bytes(body)


def _told_apart(trouble: requests.RequestException) -> Exception:
    """Which of the two it was. Their texts are not kept: they hold URLs."""
    if isinstance(trouble, requests.ConnectTimeout | ValueError):  # ValueError: no usable URL
        return NotReached("no connection was made")
    causes = _causes(trouble)
    before_the_request = (NewConnectionError, ssl.SSLCertVerificationError)
    if any(isinstance(cause, before_the_request) for cause in causes):
        return NotReached("no connection was made")
    return NoAnswer("no whole answer came")


def _causes(trouble: BaseException) -> list[object]:
    """Every error wrapped inside: requests and urllib3 hide them in arguments and `reason`."""
    found: list[object] = [trouble]
    for cause in found:
        inner = [*getattr(cause, "args", ()), getattr(cause, "reason", None)]
        found += [one for one in inner if isinstance(one, BaseException) and one not in found]
    return found
