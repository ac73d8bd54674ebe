"""Knows HTTP as both ends of a callback and of one POST, and no company that speaks it."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import requests
from urllib3.exceptions import NewConnectionError

from ussdapp.core.ended import Ended
from ussdapp.core.inbound import Keyed, Mo, OptOut, Receipt
from ussdapp.core.session import Shown

PLAIN: Final = "text/plain; charset=utf-8"
MOST_ANSWER: Final = 1 << 20  # octets of an answer that are read
_CHUNK: Final = 1 << 14


@dataclass(frozen=True, slots=True, repr=False)
class WireRequest:
    """A callback as it came; of a field given twice the first."""

    form: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class WireReply:
    """What a callback is answered with."""

    body: str
    content_type: str = PLAIN
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class BadRequest(ValueError):
    """A callback that lacks what its document promises. Neither field holds what was sent."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Callbacks(Protocol):
    """How one counterparty spells its callbacks. Every `read_` raises BadRequest, no `write_`."""

    def read_ussd(self, request: WireRequest) -> Keyed | Ended: ...

    def write_ussd(self, request: WireRequest, shown: Shown) -> WireReply:
        """The answer to that request, whatever was wrong with it."""
        ...

    def read_mo(self, request: WireRequest) -> Mo: ...

    def write_taken(self, request: WireRequest) -> WireReply:
        """The acknowledgement of a text that was read."""
        ...

    def read_receipt(self, request: WireRequest) -> Receipt: ...

    def read_opt_out(self, request: WireRequest) -> OptOut: ...


class NotReached(Exception):
    """No connection was made: certainly nothing was taken."""


class NoAnswer(Exception):
    """The request left, or may have left, and no whole answer came back."""


@dataclass(frozen=True, slots=True, repr=False)
class WireAnswer:
    """What our POST was answered with; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post_form(
    url: str, headers: Mapping[str, str], form: Mapping[str, str], timeout: tuple[float, float]
) -> WireAnswer:
    """POSTs a form on a connection of its own; `timeout` is seconds to connect and to answer whole.

    Raises NotReached and NoAnswer. Follows no redirect: a POST that moves turns into a GET.
    """
    # A kept connection may be closed by the far end just as we write, which would be a doubt:
    # a new one costs two round trips and none.
    deadline = time.monotonic() + sum(timeout)
    try:
        with requests.post(
            url, data=form, headers=headers, timeout=timeout, allow_redirects=False, stream=True
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
