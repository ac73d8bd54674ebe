"""Beem Africa: USSD hub, two-way SMS and delivery reports, from their guides (docs.beem.africa)
and two public clients, all read in 2026.

USSD comes as JSON that holds the last input alone, and is answered in JSON that names the session
in every answer: a popular client leaves it out of those that go on. Sending is in a file of its
own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ussdapp.core.ended import Ended
from ussdapp.core.inbound import Mo, OptOut, Receipt
from ussdapp.core.marked import Marked
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown
from ussdapp.core.status import Status
from ussdapp.wire.dialect import Dialect
from ussdapp.wire.fields import digest, is_id, kept_id, maybe_msisdn, short
from ussdapp.wire.http import BadRequest, WireReply, WireRequest

USSD: Final = Dialect(
    session_named_by="session_id",
    first_told_by=("command", "initiate"),  # its `response` is the integer 0 and no key
    over_told_by=("command", "terminate"),
    cumulative=False,
)
_GOES_ON: Final = "continue"
JSON: Final = "application/json"

# "Delivery reports". What the table lacks is doubt.
STATUSES: Final[Mapping[str, Status]] = {
    "PENDING": Status.SUBMITTED,
    "DELIVERED": Status.DELIVERED,
    "UNDELIVERED": Status.UNDELIVERED,
}

_Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BeemCallbacks:
    """Reads and answers their callbacks, for the channel of that name."""

    name: str

    def read_ussd(self, request: WireRequest) -> Marked | Ended:
        """One input of a dialogue, or its end; raises BadRequest for what lacks an id, an MSISDN,
        a command or the input. No service code is told. Their guide does not say that a
        `request_id` is another in every request: core.marked finds out."""
        said = _said(request)
        session_id, msisdn = _text(said, USSD.session_named_by), _msisdn(said, "msisdn")
        if not is_id(session_id):
            raise BadRequest("session_id", "session_id is missing or no id")
        if _told(said, USSD.over_told_by):
            return Ended(self.name, session_id, msisdn)
        first = _told(said, USSD.first_told_by)
        return Marked(
            channel=self.name,
            session_id=session_id,
            msisdn=msisdn,
            service_code="",
            text="" if first else _input(said),
            cumulative=USSD.cumulative,
            number=_text(_inner(said, "payload"), "request_id"),
            first=first,
        )

    def write_ussd(self, request: WireRequest, shown: Shown) -> WireReply:
        """The screen with the ids of its request, as they were spelt; `request_id` is an echo,
        since their guide does not say who counts it."""
        try:
            said = _said(request)
        except BadRequest:
            said = {}
        answer = {name: _echoed(said, name) for name in ("msisdn", "operator", "session_id")}
        request_id = _echoed(_inner(said, "payload"), "request_id")
        answer["command"] = "terminate" if shown.ends else _GOES_ON
        answer["payload"] = {
            "request_id": 0 if request_id == "" else request_id,
            "request": shown.text,
        }
        return WireReply(json.dumps(answer), JSON)

    def read_mo(self, request: WireRequest) -> Mo:
        """A text to a short code; without a `transaction_id` a repeat is told by its content."""
        said = _said(request)
        sender, text = short(_text(said, "from")), _text(_inner(said, "message"), "text")
        if not sender:
            raise BadRequest("from", "from is missing")
        short_code, key = short(_text(said, "to")), _text(said, "transaction_id")
        return Mo(
            channel=self.name,
            key=kept_id(key) if key else digest(_text(said, "timeUTC"), sender, short_code, text),
            sender=sender,
            msisdn=maybe_msisdn(sender),
            short_code=short_code,
            text=text,
            keyed_by_content=not key,
        )

    def write_taken(self, request: WireRequest) -> WireReply:
        """The acknowledgement of a text: its `transaction_id`, and that it was taken."""
        answer = {"transaction_id": _echoed(_said(request), "transaction_id"), "successful": True}
        return WireReply(json.dumps(answer), JSON)

    def read_receipt(self, request: WireRequest) -> Receipt:
        """A pushed delivery report. Only public clients tell of it: what their guide describes is
        asked for (`sending`)."""
        said = _said(request)
        status = _text(said, "status")
        return Receipt(
            account=self.name,
            message_id=message_id(_text(said, "request_id"), _text(said, "recipient_id")),
            status=STATUSES.get(status, Status.IN_DOUBT),
            code=short(status),
            msisdn=maybe_msisdn(_text(said, "dest_addr")),
        )

    def read_opt_out(self, request: WireRequest) -> OptOut:  # noqa: ARG002  # none is ever read
        """They document no opt-out: raises BadRequest."""
        raise BadRequest("opt_out", "this aggregator tells of no opt-out")


def message_id(request_id: str, recipient_id: str) -> str:
    """The id of one text: a request of theirs has many, told apart by the recipient_id we gave.
    Raises BadRequest without either."""
    if not (request_id and recipient_id):
        raise BadRequest("request_id", "request_id or recipient_id is missing")
    return kept_id(f"{request_id}.{recipient_id}")


def _said(request: WireRequest) -> _Said:
    """The JSON object of a callback; raises BadRequest. Octets that are no UTF-8 and half
    surrogate pairs become U+FFFD."""
    try:
        # not strict: a control character that a handset sent may come unescaped
        said = json.loads(request.body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise BadRequest("json", "the body is no JSON") from None
    if not isinstance(said, dict):
        raise BadRequest("json", "the body is no JSON object")
    return said


def _inner(said: _Said, name: str) -> _Said:
    inner = said.get(name)
    return inner if isinstance(inner, dict) else {}


def _echoed(said: _Said, name: str) -> Any:
    value = said.get(name, "")
    if type(value) is int:
        return value
    return _whole(value) if isinstance(value, str) else ""


def _text(said: _Said, name: str) -> str:
    """A field that holds a text or, as theirs do now and then, an integer; else ""."""
    return str(_echoed(said, name))


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _told(said: _Said, told_by: tuple[str, str] | None) -> bool:
    """Whether that field has that value; raises BadRequest for a command nobody knows."""
    if told_by is None:
        return False
    field, value = told_by
    command = _text(said, field).lower()
    if command not in (_GOES_ON, USSD.first_told_by[1], "terminate"):
        raise BadRequest(field, "command is missing or unknown")
    return command == value


def _input(said: _Said) -> str:
    payload = _inner(said, "payload")
    if type(payload.get("response")) not in (str, int):
        raise BadRequest("response", "payload.response is missing or no input")
    return _text(payload, "response")


def _msisdn(said: _Said, name: str) -> Msisdn:
    msisdn = maybe_msisdn(_text(said, name))
    if msisdn is None:
        raise BadRequest(name, f"{name} is missing or no MSISDN")
    return msisdn
