"""Knows how JSON from an institution is read: strictly."""

import json
import math
from typing import Any, Final

from flask import request

from ussdapp.web.problems import Problem

_EXACT: Final = 2**53  # above it, a number without a fraction may have lost its last digits


def read_members(octets: bytes) -> dict[str, Any]:
    """The JSON object that this request's octets spell; raises Problem 400, 415 or 422."""
    if request.mimetype != "application/json":
        raise Problem(415, "The body must be application/json.")
    try:
        members = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_whole_if_it_is,
        )
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON in UTF-8.") from None
    if not isinstance(members, dict):
        raise Problem(422, "The body must be a JSON object.")
    return members


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is given twice")
    return members


def _whole_if_it_is(spelling: str) -> int | float:
    # JSON Schema's integer is any number without a fraction, also one spelt 1.0
    number = float(spelling)
    if number in (math.inf, -math.inf):
        raise ValueError("larger than a number can be")
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _no_number(_spelling: str) -> Any:
    """Refuses what Python alone takes for JSON. Raises ValueError."""
    raise ValueError("NaN and Infinity are no JSON")
