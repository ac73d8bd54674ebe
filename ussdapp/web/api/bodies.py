"""Knows how JSON from an institution is read: strictly."""

import json
from typing import Any

from flask import request

from ussdapp.web.problems import Problem


def read_members(octets: bytes) -> dict[str, Any]:
    """The JSON object that this request's octets spell; raises Problem 400, 415 or 422."""
    if request.mimetype != "application/json":
        raise Problem(415, "The body must be application/json.")
    try:
        members = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
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


def _no_number(_spelling: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")
