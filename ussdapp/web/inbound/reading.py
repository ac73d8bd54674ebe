"""Knows how a Flask request becomes a WireRequest, whatever octets came."""

from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import unquote_to_bytes

from ussdapp.web.octets import body
from ussdapp.web.serving import asked
from ussdapp.wire.http import BadRequest, WireRequest

_FORM: Final = ("application/x-www-form-urlencoded", "")
MOST_FIELDS: Final = 100


def wire_request() -> WireRequest:
    """The callback of this request; raises BadRequest for more fields than any dialect has.

    Octets that are no UTF-8 become U+FFFD, so no text ever holds a lone surrogate.
    """
    octets, given = body(), asked()
    return WireRequest(
        form=_fields(octets) if given.mimetype in _FORM else {},
        query=_fields(given.query_string),
        headers=cast("Mapping[str, str]", given.headers),  # whatever the case of a name
        body=octets,
    )


def _fields(encoded: bytes) -> Mapping[str, str]:
    """The first value of each field."""
    fields: dict[str, str] = {}
    if not encoded:
        return fields
    if encoded.count(b"&") >= MOST_FIELDS:
        raise BadRequest("form", "there are too many fields")
    for pair in encoded.split(b"&"):
        name, _, value = pair.partition(b"=")
        fields.setdefault(_text(name), _text(value))
    return fields


def _text(encoded: bytes) -> str:
    if b"+" in encoded:
        encoded = encoded.replace(b"+", b" ")
    if b"%" in encoded:
        encoded = unquote_to_bytes(encoded)
    return encoded.decode("utf-8", "replace")
