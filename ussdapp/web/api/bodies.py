"""Knows how JSON from an institution is read: strictly, each fault named by its field."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import request

from ussdapp.core.case import CaseStatus
from ussdapp.web.octets import body
from ussdapp.web.problems import FieldError, Problem

MOST_TEXT: Final = 459  # characters of a reply: three parts of GSM-7
REPLY_STATUSES: Final[Mapping[str, CaseStatus]] = {
    status.value: status
    for status in (CaseStatus.ANSWERED, CaseStatus.CLOSED, CaseStatus.IN_PROGRESS)
}
_LINE_ENDS: Final = frozenset("\t\n\r")
_UNWRITTEN: Final = frozenset({"Cc", "Cs"})  # control characters and lone surrogates


@dataclass(frozen=True, slots=True, repr=False)
class ReplyBody:
    """What an institution answers to a case."""

    text: str
    status: CaseStatus


def read_reply() -> ReplyBody:
    """The body of this request; raises Problem 400, 415 or 422 with every field at fault."""
    members = read_members(body())
    errors = [
        *_strangers(members, {"text", "status"}),
        *_text_errors(members.get("text")),
        *_status_errors(members.get("status", CaseStatus.ANSWERED.value)),
    ]
    if errors:
        raise Problem(422, "Some fields cannot be taken.", errors)
    status = REPLY_STATUSES[members.get("status", CaseStatus.ANSWERED.value)]
    return ReplyBody(members["text"].strip(), status)


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


def _strangers(members: Mapping[str, Any], known: set[str]) -> list[FieldError]:
    # the name is the sender's own words: it is shown only where it can be a name
    return [
        FieldError(name if name.isidentifier() and len(name) < 40 else "?", "unknown", "Not known.")
        for name in members
        if name not in known
    ]


def _text_errors(text: object) -> list[FieldError]:
    if not isinstance(text, str) or not text.strip():
        return [FieldError("text", "required", "Give the answer as a text.")]
    if len(text.strip()) > MOST_TEXT:
        return [FieldError("text", "too_long", f"At most {MOST_TEXT} characters are taken.")]
    odd = (char for char in text if unicodedata.category(char) in _UNWRITTEN)
    if any(char not in _LINE_ENDS for char in odd):
        return [FieldError("text", "characters", "It holds characters that cannot be sent.")]
    return []


def _status_errors(status: object) -> list[FieldError]:
    if isinstance(status, str) and status in REPLY_STATUSES:
        return []
    return [FieldError("status", "unknown", f"One of: {', '.join(REPLY_STATUSES)}.")]
