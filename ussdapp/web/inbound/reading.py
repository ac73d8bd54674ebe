"""Knows how a Flask request becomes a WireRequest, whatever octets came."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from flask import request

from ussdapp.web.octets import body
from ussdapp.wire.http import BadRequest, WireRequest

_FORM: Final = ("application/x-www-form-urlencoded", "")
MOST_FIELDS: Final = 100


def wire_request() -> WireRequest:
    """The callback of this request; raises BadRequest for more fields than any dialect has.

    Octets that are no UTF-8 become U+FFFD, so no text ever holds a lone surrogate.
    """
    octets = body()
    form = octets.decode("utf-8", "replace") if request.mimetype in _FORM else ""
    return WireRequest(
        form=_fields(form),
        query=_fields(request.query_string.decode("utf-8", "replace")),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=octets,
    )


def _fields(encoded: str) -> Mapping[str, str]:
    if not encoded:
        return {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest("form", "there are too many fields") from None
    return _first_of_each(pairs)


def _first_of_each(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields
