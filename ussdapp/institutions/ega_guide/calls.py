"""eGA, mGov USSD integration guide v2.1.0 (2026): how our calls are spelled and signed.

The guide says nothing of how institutions know us, of repeats or of languages, so every call
carries

    hash                 base64 HMAC-SHA256, under the office's secret, of the exact body; with a
                         GET of the query string as sent (as their SMS v2 signs)
    X-Request-Id         the same whenever the same thing is asked: a summary posted again, because
                         its answer was lost, has the id of the first
    X-Request-Timestamp  RFC 3339, UTC
    X-Request-Hash       as `hash`, of "<id>.<timestamp>." and those octets, so that neither header
                         can be changed and an old call can be told
    Accept-Language      sw or en, since a look-up and a summary have no field for it
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from ussdapp.core.back_office import Asker, Mode
from ussdapp.wire.guarded import Call

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an office is reached and how it knows us."""

    url: str
    mode: Mode
    method: str
    secret: bytes = field(repr=False)


def signed(desk: Desk, told: Mapping[str, str], asker: Asker, at: datetime) -> Call:
    """The request, signed over the octets that leave: a query, a form of an external
    application, or JSON."""
    as_form = desk.method == "GET" or desk.mode is Mode.EXTERNAL
    spelled = urlencode(told) if as_form else json.dumps(told, ensure_ascii=False)
    octets = spelled.encode("utf-8", "replace")
    if desk.method == "GET":
        url = desk.url + ("&" if "?" in desk.url else "?") + spelled
        return Call("GET", url, _headers(desk, url.partition("?")[2].encode(), asker, at))
    kind = {"Content-Type": _FORM if as_form else _JSON}
    return Call("POST", desk.url, kind | _headers(desk, octets, asker, at), octets)


def _headers(desk: Desk, octets: bytes, asker: Asker, at: datetime) -> dict[str, str]:
    stamp = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "Accept": _JSON,
        "Accept-Language": asker.language,
        "X-Request-Id": asker.effect,
        "X-Request-Timestamp": stamp,
        "hash": signature(desk.secret, octets),
        "X-Request-Hash": signature(desk.secret, f"{asker.effect}.{stamp}.".encode() + octets),
    }


def signature(secret: bytes, octets: bytes) -> str:
    """The base64 of an HMAC-SHA256."""
    return base64.b64encode(hmac.digest(secret, octets, "sha256")).decode()
