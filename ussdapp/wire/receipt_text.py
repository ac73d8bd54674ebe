"""Knows what operators put in deliver_sm: receipts as they really come, and citizens' texts.

SMPP 3.4, 5.2.12 (esm_class), 5.3.2.12 and 5.3.2.35 (parameters), appendix B (the text form, which
is an example there and not a standard), and the deviations listed in the operators' quirks.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from ussdapp.core import gsm7
from ussdapp.wire.bodies import Delivered
from ussdapp.wire.pdu import TLV_MESSAGE_STATE, TLV_NETWORK_ERROR, TLV_RECEIPTED_ID

Detect = Literal["marks", "text"]  # by esm_class and parameters alone, or by the text as well

_KIND: Final = 0x3C  # bits 5-2 of esm_class; some SMSCs set others beside them
_RECEIPTS: Final = frozenset({0x04, 0x20})  # final receipt, intermediate notification
_UDHI: Final = 0x40
STATES: Final = {
    0: "SCHEDULED", 1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV",
    6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD", 9: "SKIPPED",
}  # fmt: skip
_KEYS: Final = "id|sub|dlvrd|submit date|done date|stat|err|text"
# a value may be missing; then the next key follows, and is not the value
_FIELD: Final = re.compile(rf"\b(id|stat|err):(?:\s+(?!(?:{_KEYS}):))?(\S*)", re.IGNORECASE)
# the form of appendix B to the letter, as most receipts are: a tenth of the time
_STANDARD: Final = re.compile(
    rb"id:([!-~]+) sub:\d+ dlvrd:\d+ submit date:(\d+) done date:\d+ stat:(\w+) err:([!-~]+) text:",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"\bsubmit date:\s*([0-9][0-9/:. -]*)", re.IGNORECASE)
# to the minute, to the second, with a year of four digits: the first that is a date (quirk 10)
_DATES: Final = {10: ("%y%m%d%H%M",), 12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"), 14: ("%Y%m%d%H%M%S",)}
_EAT: Final = timezone(timedelta(hours=3))  # an SMSC's local time; no summer time, ever
_TEXT: Final = re.compile(r"\btext:", re.IGNORECASE)
_CONTROLS: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")
_MOST_TEXT: Final = 1024  # characters of a receipt that are looked at
_LATIN: Final = frozenset({1, 3})
_UCS2: Final = 8
# Ours, where an operator writes UTF-8 and calls it 0 (quirk 28): the specification reserves it.
_UTF8: Final = 0x0C
CODINGS: Final = {"gsm7": 0, "latin1": 3, "utf8": _UTF8}


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """A receipt as the operator spelt it; `state` in capitals, "" for whatever was missing.
    `submitted_on` is aware, and None where there is no date to read."""

    message_id: str
    state: str
    error: str
    submitted_on: datetime | None = None


def read_receipt(delivered: Delivered, detect: Detect = "marks") -> ReceiptText | None:
    """The receipt, or None for a text from a handset. With detect "text", what reads like a
    receipt is one without a mark as well: only for operators who do not mark them, since a
    citizen could write the same words."""
    marked = delivered.esm_class & _KIND in _RECEIPTS or TLV_RECEIPTED_ID in delivered.tlvs
    if not marked and detect == "marks":
        return None
    fields = _fields(delivered)
    if not marked and not (fields.get("id") and fields.get("stat")):
        return None
    return ReceiptText(
        _parameter_id(delivered) or fields.get("id", ""),
        (_parameter_state(delivered) or fields.get("stat", "")).upper(),
        fields.get("err", "") or _parameter_error(delivered),
        read_date(fields.get("submit date", "")),
    )


def text_of(delivered: Delivered) -> str:
    """What a handset wrote, without its header; what cannot be decoded is shown as U+FFFD."""
    message = delivered.short_message
    if delivered.esm_class & _UDHI and message:
        message = message[1 + message[0] :]
    return decoded(message, delivered.data_coding)


def decoded(message: bytes, data_coding: int) -> str:
    """The text of octets in that data_coding (5.2.19, 3GPP TS 23.038 section 4)."""
    alphabet = _alphabet(data_coding)
    if alphabet == _UCS2:
        return message.decode("utf-16-be", "replace")
    if alphabet == _UTF8:
        return message.decode("utf-8", "replace")
    return message.decode("latin-1") if alphabet in _LATIN else gsm7.decode(message)


def _alphabet(data_coding: int) -> int:
    group = data_coding >> 4
    if group == 0:
        return data_coding if data_coding in {_UCS2, _UTF8, *_LATIN} else 0
    if group == 0xF:  # message class: bit 2 tells 8-bit from GSM 7-bit
        return 1 if data_coding & 0x04 else 0
    return {0: 0, 1: 1, 2: _UCS2}.get((data_coding >> 2) & 3, 0) if group < 4 else 0


def _fields(delivered: Delivered) -> dict[str, str]:
    message = delivered.short_message
    if standard := _STANDARD.match(message):
        values = [_worded(value.decode("ascii", "replace")) for value in standard.groups()]
        return dict(zip(("id", "submit date", "stat", "err"), values, strict=True))
    if delivered.data_coding == _UCS2 or message[:1] == b"\0":
        text = message.decode("utf-16-be", "replace")
    else:
        text = message.decode("latin-1")
    head = _TEXT.split(text[:_MOST_TEXT].translate(_CONTROLS), maxsplit=1)[0]
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(head):
        fields.setdefault(name.lower(), _worded(value))
    if date := _DATE.search(head):
        fields["submit date"] = date[1]
    return fields


def read_date(spelt: str) -> datetime | None:
    """The moment of a date of 10, 12 or 14 digits, local time in East Africa; None for others."""
    digits = re.sub(r"\D", "", spelt)
    for form in _DATES.get(len(digits), ()):
        try:
            return datetime.strptime(digits, form).replace(tzinfo=_EAT)
        except ValueError:
            continue
    return None


def _worded(value: str) -> str:
    return "" if value.lower() == "null" else value


def _parameter_id(delivered: Delivered) -> str:
    octets = delivered.tlvs.get(TLV_RECEIPTED_ID, b"").partition(b"\0")[0]
    return _worded(octets.decode("latin-1").translate(_CONTROLS).strip())


def _parameter_state(delivered: Delivered) -> str:
    octets = delivered.tlvs.get(TLV_MESSAGE_STATE, b"")
    return STATES.get(octets[0], str(octets[0])) if octets else ""


def _parameter_error(delivered: Delivered) -> str:
    octets = delivered.tlvs.get(TLV_NETWORK_ERROR, b"")
    return str(int.from_bytes(octets[1:3], "big")) if len(octets) >= 3 else ""
