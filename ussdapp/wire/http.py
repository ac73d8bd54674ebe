"""Knows HTTP as both ends of a callback and of a call, and no company that speaks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from ussdapp.core.ended import Ended
from ussdapp.core.inbound import Keyed, Mo, OptOut, Receipt
from ussdapp.core.session import Shown

PLAIN: Final = "text/plain; charset=utf-8"
MOST_ANSWER: Final = 1 << 20  # octets of an answer that are read


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
