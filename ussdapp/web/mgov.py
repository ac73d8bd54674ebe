"""Knows the mGov API that institutions' systems speak already: they change the host and no more.

eGA publishes no list of codes; 48200 and 48205 are those its clients were seen to test for
(reference/protocols.md 2b). What its checks refuse is answered 200, as
there; a network, a size or a rate that is not allowed by its HTTP status.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.parts import TooLong
from ussdapp.core.phishing import PhishingRefused
from ussdapp.core.quota import OverQuota
from ussdapp.core.sender_ids import SenderIdRefused
from ussdapp.ports import Unavailable
from ussdapp.web.mgov_bodies import Sent, Unreadable, asked, signed_by, v1_sent, v2_sent
from ussdapp.web.permissions import PUBLIC, admitted, permission
from ussdapp.web.problems import Problem, json_reply
from ussdapp.web.quotas import over_quota
from ussdapp.web.serving import serving

mgov = Blueprint("mgov", __name__)

MOST_BODY: Final = 1024 * 1024  # octets
_SUCCESS: Final = 48200
_INVALID: Final = 48205
_STRANGER: Final = "Authentication failed"
_TRY_AGAIN: Final = "Service unavailable, try again"


class Refused(Exception):
    """A sentence for the sender, and the status and headers of HTTP."""

    def __init__(
        self, sentence: str, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})


@mgov.post("/gateway/sms/v2/send-sms")
@permission(PUBLIC)  # the hash of the body is the proof
def send_sms() -> Response:
    """Version 2: `hash` and `sysId` in headers, camelCase in the body."""
    try:
        _accept(v2_sent(_octets()))
    except Refused as refused:
        told: dict[str, Any] = {"success": False, "statusCode": _INVALID}
        return _reply(refused, {**told, "statusMessage": str(refused)})
    return json_reply(200, {"success": True})


@mgov.post("/gateway/sms/quick_sms")
@permission(PUBLIC)
def quick_sms() -> Response:
    """Version 1 on the new host."""
    return _quick_sms()


@mgov.post("/msdg/public/quick_sms")
@permission(PUBLIC)
def quick_sms_of_msdg() -> Response:
    """Version 1 where it was from 2017 on."""
    return _quick_sms()


def _quick_sms() -> Response:
    try:
        _accept(_v1_sent(_octets()))
    except Refused as refused:
        told = {"error": True, "statusCode": _INVALID, "statusMessage": "Invalid Request"}
        return _reply(refused, {**told, "data": [str(refused)]})
    return json_reply(
        200,
        {
            "error": False,
            "statusCode": _SUCCESS,
            "statusMessage": "Success",
            "data": ["Message accepted delivery"],
        },
    )


def _v1_sent(octets: bytes) -> Sent:
    try:
        return v1_sent(octets)
    except (Unreadable, HTTPException) as trouble:
        sentence = str(trouble) if isinstance(trouble, Unreadable) else "It cannot be read"
        raise Refused(sentence) from None


def _octets() -> bytes:
    request.max_content_length = request.max_form_memory_size = MOST_BODY
    try:
        octets = request.get_data(parse_form_data=False)
    except RequestEntityTooLarge:
        raise Refused("The body is too large", 413) from None
    # a chunked body that is too long is cut short without a word
    if request.content_length is None and len(octets) >= MOST_BODY:
        raise Refused("The body is too large", 413)
    return octets


def _accept(sent: Sent) -> None:
    """Commits it, or raises Refused with nothing committed."""
    parts = serving()
    now = parts.clock()
    try:
        known = parts.gateway.keys.of_system if sent.version == 2 else parts.gateway.keys.of_user
        key = signed_by(sent, known(sent.name, now))
        if key is None:
            raise Refused(_STRANGER)
        admitted(key.holder)
        parts.gateway.notifications.accept(key.holder, asked(sent, key), now)
    except Unreadable as unreadable:
        raise Refused(str(unreadable)) from None
    except PhishingRefused as refused:
        raise Refused(str(refused)) from None
    except TooLong:
        raise Refused("The message is too long") from None
    except SenderIdRefused:
        raise Refused("Wrong sender id") from None
    except AnotherBody:
        raise Refused("messageId was used before, for another message") from None
    except OverQuota as over:
        problem = over_quota(over)
        raise Refused(problem.detail, problem.status, problem.headers) from None
    except Problem as problem:
        raise Refused(problem.detail, problem.status, problem.headers) from None
    except Unavailable:
        raise Refused(_TRY_AGAIN, 503, {"Retry-After": "5"}) from None


def _reply(refused: Refused, members: dict[str, Any]) -> Response:
    answer = json_reply(refused.status, members)
    answer.headers.update(refused.headers)
    return answer
