"""Knows how a callback is read from WSGI, whatever octets came."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from ussdapp.wire.http import BadRequest, WireRequest

MOST_BODY: Final = 64 * 1024  # octets
MOST_FIELDS: Final = 100
_FORM: Final = ("application/x-www-form-urlencoded", "")


class TooLarge(Exception):
    """The body is larger than any callback."""


def read_callback(environ: Mapping[str, Any]) -> WireRequest:
    """One callback; raises TooLarge, and BadRequest for more fields than any dialect has.

    Octets that are no UTF-8 become U+FFFD, so no text ever holds a lone surrogate.
    """
    octets = _body(environ)
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    return WireRequest(
        form=_fields(octets) if kind in _FORM else {},
        query=_fields(environ.get("QUERY_STRING", "").encode("latin-1")),
        body=octets,
    )


def _body(environ: Mapping[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > MOST_BODY:
        raise TooLarge
    # one octet more than is taken tells a chunked body that is too large
    octets: bytes = environ["wsgi.input"].read(int(length) if length.isdecimal() else MOST_BODY + 1)
    if len(octets) > MOST_BODY:
        raise TooLarge
    return octets


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
