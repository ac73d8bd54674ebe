"""Knows the five things operators call us with, and what each is answered (CONTRACT section 3)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import InternalServerError, MethodNotAllowed

from ussdapp.ports import Unavailable
from ussdapp.web.inbound.reading import wire_request
from ussdapp.web.permissions import TOKEN, abort_404, permission
from ussdapp.web.problems import DETAILS, Problem, problem_reply
from ussdapp.web.serving import serving
from ussdapp.wire.http import BadRequest, Callbacks, WireReply

if TYPE_CHECKING:
    from ussdapp.bootstrap import Gateway

# all of them, so that the method is asked after the token: before, the answer would tell a
# path of ours from any other
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FIRST_LANGUAGE: Final = "sw"
_TAKEN: Final = WireReply("")
_log = structlog.get_logger()

inbound = Blueprint("inbound", __name__)


@inbound.route("/in/<channel>/<token>/<what>", methods=_METHODS, provide_automatic_options=False)
@permission(TOKEN)
def receive(channel: str, token: str, what: str) -> Response:  # noqa: ARG001  # see admit()
    """One callback of an operator; its token was compared before."""
    parts = serving()
    take = TAKES.get(what)
    dialect = parts.gateway.dialects.get(channel)
    if take is None or dialect is None:
        abort_404()
    if request.method != "POST":
        raise MethodNotAllowed(["POST"])
    return _flask(take(parts.gateway, dialect, parts.clock()))


@inbound.errorhandler(InternalServerError)
def broken(_trouble: InternalServerError) -> Response:
    """A defect of ours: a citizen in a dialogue reads a sentence, an operator is told to retry."""
    given = request.view_args or {}
    dialect = serving().gateway.dialects.get(given.get("channel", ""))
    if given.get("what") != "ussd" or dialect is None:
        return problem_reply(Problem(500, DETAILS[500]))
    return _flask(_sorry(serving().gateway, dialect))


def _ussd(gateway: "Gateway", dialect: Callbacks, now: datetime) -> WireReply:
    try:
        shown = gateway.answer_ussd(dialect.read_ussd(wire_request()), now)
    except BadRequest as trouble:
        _log.warning("callback.malformed", what="ussd", code=trouble.code)
        return _sorry(gateway, dialect)
    except Unavailable:
        _log.warning("callback.not_kept", what="ussd")
        return _sorry(gateway, dialect)
    return dialect.write_ussd(shown.text, ends=shown.ends)


def _sorry(gateway: "Gateway", dialect: Callbacks) -> WireReply:
    return dialect.write_ussd(gateway.sorry(_FIRST_LANGUAGE), ends=True)


def _ussd_end(_gateway: "Gateway", _dialect: Callbacks, _now: datetime) -> WireReply:
    # nothing depends on it: a session ends by itself, and not every operator tells
    wire_request()
    return _TAKEN


def _sms(gateway: "Gateway", dialect: Callbacks, now: datetime) -> WireReply:
    gateway.receive_mo(dialect.read_mo(wire_request()), now)
    return _TAKEN


def _receipt(gateway: "Gateway", dialect: Callbacks, now: datetime) -> WireReply:
    gateway.record_receipts([dialect.read_receipt(wire_request())], now)
    return _TAKEN


def _opt_out(gateway: "Gateway", dialect: Callbacks, now: datetime) -> WireReply:
    gateway.record_opt_out(dialect.read_opt_out(wire_request()), now)
    return _TAKEN


TAKES: Final[Mapping[str, Callable[["Gateway", Callbacks, datetime], WireReply]]] = {
    "ussd": _ussd,
    "ussd-end": _ussd_end,
    "sms": _sms,
    "receipt": _receipt,
    "optout": _opt_out,
}


def _flask(reply: WireReply) -> Response:
    octets = reply.body.encode("utf-8", "replace")
    return Response(octets, reply.status, content_type=reply.content_type)
