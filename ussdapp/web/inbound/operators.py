"""Knows the five things operators call us with, and what each is answered (CONTRACT section 3).

It is plain WSGI in front of Flask: a USSD step through Flask costs three times one without it. What
is not a callback with a good token is handed on, so that there is one 404 for everything.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from ussdapp.core.ended import Ended
from ussdapp.core.session import Shown
from ussdapp.ports import Unavailable
from ussdapp.web.edge import RULE, Environ, Wsgi
from ussdapp.web.inbound.callback import TooLarge, read_callback
from ussdapp.web.logged import log_failure
from ussdapp.web.problems import DETAILS, FieldError, Problem, document
from ussdapp.web.serving import Clock
from ussdapp.wire.http import BadRequest, Callbacks, WireReply, WireRequest

if TYPE_CHECKING:
    from ussdapp.bootstrap import Gateway

_PREFIX: Final = "/in/"
_RULE: Final = "/in/<channel>/<token>/<what>"
_FIRST_LANGUAGE: Final = "sw"
_TAKEN: Final = WireReply("")
_UNREAD: Final = WireRequest({})
_OVER: Final = Shown("", ends=True)
# what a token of an unknown channel is compared with, so that it takes as long
_NOBODYS: Final = (secrets.token_hex(16), secrets.token_hex(16))
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """One callback whose token fits."""

    gateway: "Gateway"
    dialect: Callbacks
    now: datetime
    request: WireRequest


def operators(gateway: "Gateway", clock: Clock, rest: Wsgi) -> Wsgi:
    """The callbacks of operators, and `rest` for everything else."""

    def serve(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        found = _found(gateway, path) if path.startswith(_PREFIX) else None
        if found is None:
            return rest(environ, start)
        environ[RULE] = _RULE
        status, headers, octets = _answered(gateway, clock, environ, *found)
        start(status, [*headers, ("Content-Length", str(len(octets)))])
        return [octets]

    return serve


def token_fits(gateway: "Gateway", channel: str, token: str) -> bool:
    """Whether the token is one of the channel's; as slow for one that does not exist."""
    known = gateway.settings.channels.get(channel)
    tokens = known.tokens if known and known.tokens else _NOBODYS
    given = token.encode("utf-8", "replace")
    fits = [hmac.compare_digest(given, one.encode()) for one in tokens]
    return any(fits) and tokens is not _NOBODYS


def _found(gateway: "Gateway", path: str) -> tuple[Callbacks, str] | None:
    """The dialect and what is called, for `/in/<channel>/<token>/<what>` with a good token."""
    parts = path.split("/")
    if len(parts) != 5:  # the empty one before the first slash among them
        return None
    _, _, channel, token, what = parts
    fits = token_fits(gateway, channel, token)
    dialect = gateway.dialects.get(channel)
    return (dialect, what) if fits and dialect and what in TAKES else None


Answer = tuple[str, list[tuple[str, str]], bytes]


def _answered(
    gateway: "Gateway", clock: Clock, environ: Environ, dialect: Callbacks, what: str
) -> Answer:
    if environ["REQUEST_METHOD"] != "POST":
        return document(Problem(405, DETAILS[405], headers={"Allow": "POST"}))
    call = Call(gateway, dialect, clock(), _UNREAD)
    try:
        call = Call(gateway, dialect, call.now, read_callback(environ))
        return _written(TAKES[what](call))
    except TooLarge:
        return document(Problem(413, DETAILS[413]))
    except BadRequest as trouble:
        _log.warning("callback.malformed", what=what, code=trouble.code)
        error = FieldError(trouble.code, "unreadable", trouble.detail)
        problem = Problem(400, DETAILS[400], [error])
    except Unavailable:
        _log.warning("callback.not_kept", what=what)
        problem = Problem(503, DETAILS[503], headers={"Retry-After": "5"})
    except Exception as trouble:  # noqa: BLE001  # the edge: a citizen reads a sentence all the same
        log_failure(trouble, trouble.__traceback__, _RULE)
        problem = Problem(500, DETAILS[500])
    return _written(_sorry(call)) if what == "ussd" else document(problem)


def _ussd(call: Call) -> WireReply:
    keyed = call.dialect.read_ussd(call.request)
    if isinstance(keyed, Ended):
        _log.info("ussd.ended", channel=keyed.channel)
        return call.dialect.write_ussd(call.request, _OVER)
    return call.dialect.write_ussd(call.request, call.gateway.answer_ussd(keyed, call.now))


def _sorry(call: Call) -> WireReply:
    sorry = Shown(call.gateway.sorry(_FIRST_LANGUAGE), ends=True)
    return call.dialect.write_ussd(call.request, sorry)


def _ussd_end(_: Call) -> WireReply:
    # nothing depends on it: a session ends by itself, and not every operator tells
    return _TAKEN


def _sms(call: Call) -> WireReply:
    call.gateway.receive_mo(call.dialect.read_mo(call.request), call.now)
    return call.dialect.write_taken(call.request)


def _receipt(call: Call) -> WireReply:
    call.gateway.record_receipts([call.dialect.read_receipt(call.request)], call.now)
    return _TAKEN


def _opt_out(call: Call) -> WireReply:
    call.gateway.record_opt_out(call.dialect.read_opt_out(call.request), call.now)
    return _TAKEN


TAKES: Final[Mapping[str, Callable[[Call], WireReply]]] = {
    "ussd": _ussd,
    "ussd-end": _ussd_end,
    "sms": _sms,
    "receipt": _receipt,
    "optout": _opt_out,
}
_STATUS: Final = {200: "200 OK"}


def _written(reply: WireReply) -> Answer:
    status = _STATUS.get(reply.status, f"{reply.status} -")
    headers = [("Content-Type", reply.content_type), *reply.headers]
    return status, headers, reply.body.encode("utf-8", "replace")
