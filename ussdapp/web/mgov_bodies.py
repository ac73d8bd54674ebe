"""Knows how clients of eGA's mGov gateway spell what they send (reference/protocols.md 2a and 2b:
v1 as seen in its clients from 2017 on, v2 as in eGA's own sample of 2026)."""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import request

from ussdapp.core.keys import MgovKey
from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.core.notification import Class
from ussdapp.usecases.accept_notification import Asked
from ussdapp.wire.numbering import read_msisdn

MOST_RECIPIENTS: Final = 20_000
MOST_TRANSACTION: Final = 100  # recipients; what goes to more is a bulk
WRONG_TIME: Final = "Wrong datetime format, allowed format 'yyyy-mm-dd hh:mm:ss'"
# The live gateway's own sentence allows no milliseconds, eGA's sample sends them.
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_V1: Final = {"service": "mobile_service_id", "sender": "sender_id"}
_V2: Final = {"service": "mobileServiceId", "sender": "senderId"}


class Unreadable(ValueError):
    """The request cannot be taken; the text is a sentence for its sender."""


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """What a client sent, before it is looked into: `signed` are the octets its hash covers,
    `name` who it says it is."""

    version: int
    name: str
    hash: str
    signed: bytes


def signed_by(sent: Sent, keys: Sequence[MgovKey]) -> MgovKey | None:
    """The key whose secret signed it; as long for a wrong one as for none."""
    found = None
    tried: list[tuple[str, MgovKey | None]] = [(key.secret, key) for key in keys]
    for secret, key in tried or [("none", None)]:
        made = b64encode(hmac.digest(secret.encode(), sent.signed, hashlib.sha256))
        if hmac.compare_digest(made, sent.hash.encode("utf-8", "replace")) and key:
            found = key
    return found


def v2_sent(octets: bytes) -> Sent:
    """Headers `sysId` and `hash`, which covers the exact body."""
    name, given = request.headers.get("sysId", ""), request.headers.get("hash", "")
    return Sent(2, name, given.strip(), octets)


def v1_sent(octets: bytes) -> Sent:
    """The outer field `data` is JSON in a string, and what the hash covers; the body around it is
    JSON, a form or multipart. Raises Unreadable."""
    data = _json_data(octets) if _looks_like_json(octets) else request.form.get("data", "")
    name = request.headers.get("X-Auth-Request-Id", "")
    given = request.headers.get("X-Auth-Request-Hash", "")
    return Sent(1, name, given.strip(), data.encode("utf-8", "surrogatepass"))


def _looks_like_json(octets: bytes) -> bool:
    # some clients say x-www-form-urlencoded of their JSON
    return request.mimetype == "application/json" or octets.lstrip()[:1] == b"{"


def _json_data(octets: bytes) -> str:
    outer = _members(octets)
    data = outer.get("data")
    if not isinstance(data, str):
        raise Unreadable("data must be a JSON string")
    return data


def asked(sent: Sent, key: MgovKey) -> Asked:
    """What the client asks for. Raises Unreadable."""
    members = _members(sent.signed)
    names = _V1 if sent.version == 1 else _V2
    _check_time(_text(members, "datetime"))
    if _text(members, names["service"]) != key.mobile_service_id:
        raise Unreadable(f"Wrong {names['service']}")
    to, text = _recipients(_text(members, "recipients")), _text(members, "message")
    sender_id = _text(members, names["sender"])
    said = [sender_id, text, *(one.digits for one in to)]
    return Asked(
        to=to,
        text=text,
        klass=Class.TRANSACTION if len(to) <= MOST_TRANSACTION else Class.BULK,
        key=_key(sent, members),
        body=json.dumps(said),
        sender_id=sender_id,
    )


def _key(sent: Sent, members: Mapping[str, Any]) -> str:
    """v2 has its messageId; of v1 the same octets, which hold a time, are the same request."""
    if sent.version == 1:
        return f"mgov1:{hashlib.sha256(sent.signed).hexdigest()}"
    return f"mgov2:{_text(members, 'messageId')[:255]}"


def _members(octets: bytes) -> dict[str, Any]:
    try:
        members = json.loads(octets.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Unreadable("It is not JSON in UTF-8") from None
    if not isinstance(members, dict):
        raise Unreadable("It is not a JSON object")
    return members


def _text(members: Mapping[str, Any], name: str) -> str:
    """A text that is there; ids and a single recipient come as numbers too."""
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18:
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(f"Missing {name}")
    if any(0xD800 <= ord(char) <= 0xDFFF or char == "\0" for char in value):
        raise Unreadable(f"Wrong {name}")
    return value


def _check_time(spelt: str) -> None:
    try:
        if _TIME.fullmatch(spelt):
            datetime.fromisoformat(spelt.partition(".")[0])
            return
    except ValueError:
        pass
    raise Unreadable(WRONG_TIME)


def _recipients(joined: str) -> tuple[Msisdn, ...]:
    """Each MSISDN once, in order; separated by commas, with or without spaces."""
    spelt = [one.strip() for one in joined.split(",") if one.strip()]
    if not 0 < len(spelt) <= MOST_RECIPIENTS:
        raise Unreadable(f"recipients are 1 to {MOST_RECIPIENTS}")
    found: dict[Msisdn, None] = {}
    for place, one in enumerate(spelt, 1):
        try:
            found[read_msisdn(one)] = None
        except NotAnMsisdn:
            raise Unreadable(f"Wrong recipient in place {place}") from None
    return tuple(found)
