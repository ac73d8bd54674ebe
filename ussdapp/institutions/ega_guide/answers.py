"""eGA, mGov USSD integration guide v2.1.0 (2026): how the answers of institutions are read.

Tolerant of what PHP does to JSON (a number for a string, `[]` for an empty object, `"true"`),
strict on size and shape. All raise ports.OfficeGarbled, whose sentence quotes nothing.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from ussdapp.core.back_office import HandedIn, LookedUp, Relayed, Said
from ussdapp.core.screen_text import cleaned
from ussdapp.ports import OfficeGarbled

MOST_TEXT: Final = 2000  # characters of a text or a detail: thirteen screens of it
MOST_FIELDS: Final = 99
MOST_NAME: Final = 40  # characters of a field's name
_HEADERS: Final = {"2": Said.EXPECTS, "3": Said.ENDS, "4": Said.HANDS_BACK}
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def looked_up(body: bytes) -> LookedUp:
    """`{"success": true, "detail_01": ...}`; every other field is a detail under its name."""
    told = _object(body)
    success = _truth(told.pop("success", None))
    return LookedUp(success, _flat(told))


def handed_in(body: bytes) -> HandedIn:
    """`{"status": true, "sms_reply": true, "sms_text": ...}`."""
    told = _object(body)
    wanted = _truth(told.get("sms_reply", False))
    text = told.get("sms_text")
    return HandedIn(_truth(told.get("status")), _text(text) if wanted and text else "")


def handed_over(body: bytes, transaction_id: str) -> str | None:
    """`{"transaction_id": ..., "message": ..., "reply": 1}`: the message, None where none is to be
    sent (mGov's pull SMS, reference/protocols.md 2c)."""
    told = _object(body)
    if _text(told.get("transaction_id")) != transaction_id:
        raise OfficeGarbled("it answered another transaction_id")
    if not _truth(told.get("reply", False)):
        return None
    text = _text(told.get("message")).strip()
    if not text:
        raise OfficeGarbled("it wants an answer sent and gave none")
    return text


def relayed(body: bytes) -> Relayed:
    """`{"header_type": "2", "text": ..., "options": {"1": ...}}`."""
    told = _object(body)
    kind = _HEADERS.get(_text(told.get("header_type")))
    if kind is None:
        raise OfficeGarbled("its header_type is not 2, 3 or 4")
    hands_back = kind is Said.HANDS_BACK  # the citizen does not see that text: it may be missing
    text = _text(told.get("text", "" if hands_back else None))
    if not hands_back and not text.strip():
        raise OfficeGarbled("it answered without a text")
    return Relayed(kind, text, _flat(_part(told, "options")), _flat(_part(told, "data")))


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise OfficeGarbled("the answer is no JSON") from None
    if not isinstance(told, dict):
        raise OfficeGarbled("the answer is no JSON object")
    return told


def _no_number(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = told.get(name) or {}  # PHP spells an empty object []
    if not isinstance(part, dict):
        raise OfficeGarbled(f"{name} is no JSON object")
    return part


def _flat(told: Mapping[str, Any]) -> dict[str, str]:
    if len(told) > MOST_FIELDS or any(len(name) > MOST_NAME for name in told):
        raise OfficeGarbled("the answer has too many fields, or too long names")
    return {cleaned(name): _text("" if value is None else value) for name, value in told.items()}


def _text(value: object) -> str:
    """A text without controls; lines stay lines."""
    match value:
        case bool():
            text = "true" if value else "false"
        case str() | int() | float():
            text = str(value)
        case _:
            raise OfficeGarbled("a field that is to be shown is no text")
    if len(text) > MOST_TEXT:
        raise OfficeGarbled("a field is too long to be shown")
    return "\n".join(cleaned(line) for line in text.splitlines())


def _truth(value: object) -> bool:
    truth = _TRUTHS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if truth is None:
        raise OfficeGarbled("a field is neither true nor false")
    return truth
