"""Knows receipts in the form of SMPP 3.4, appendix B, to the letter: nearly all that come.

Whatever differs in the least is for `receipt_text`, which takes ten times as long; what is read
here reads the same there.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from ussdapp.wire.receipt_text import STATES, read_date

HEAD: Final = re.compile(
    rb"[^\0]{0,5}\0..\+?(255[67]\d{8})\0"  # service_type, source
    rb"..[^\0]{0,20}\0"  # destination
    rb"\x04..\0\0.."  # esm_class, no times, registered_delivery, replace_if_present
    rb"[\0\1\3].(.)"  # data_coding, sm_default_msg_id, sm_length
    rb"id:((?!(?i:null) )[0-9A-Za-z-]{1,64}) ",
    re.DOTALL,
)
_REST: Final = re.compile(
    rb"sub:\d{1,3} dlvrd:\d{1,3} submit date:(\d{10,14}) done date:\d{10,14} "
    rb"stat:([A-Z]{1,10}) err:((?!(?i:null)\Z)[0-9A-Za-z]{1,10})"
)
TEXT: Final = b" text:"
_STATES: Final = {
    name.encode(): b"\x04\x27\0\x01" + bytes((number,)) for number, name in STATES.items()
}


class Told(NamedTuple):
    """What a receipt tells: state and error as spelt, when its part was submitted, and the
    parameter that says the state once more."""

    state: str
    error: str
    submitted_on: datetime | None
    parameter: bytes


Usual = tuple[str, str, Told]  # the digits of the handset's MSISDN, the id, the rest


def usual_receipt(body: bytes) -> Usual | None:
    """The receipt of a deliver_sm's body in the usual form; None for any other, which may be a
    receipt too."""
    head = HEAD.match(body)
    if head is None:
        return None
    digits, length, message_id = head.groups()
    end = head.start(3) - 3 + length[0]
    text = body.find(TEXT, head.end(), end)
    told = told_of(body[head.end() : text]) if text > 0 and end <= len(body) else None
    if told is None or not _agree(body[end:], message_id, told):
        return None
    return digits.decode(), message_id.decode(), told


def _agree(parameters: bytes, message_id: bytes, told: Told) -> bool:
    """Whether no parameter says other than the text."""
    if not parameters:
        return True
    spelt = b"\0\x1e\0%c%b\0" % (len(message_id) + 1, message_id)
    return parameters in (spelt + told.parameter, spelt)


@lru_cache(1024)
def told_of(rest: bytes) -> Told | None:
    """What stands behind the id: the same in many receipts of one minute."""
    found = _REST.fullmatch(rest)
    if found is None:
        return None
    date, state, error = found.groups()
    moment = read_date(date.decode())
    return Told(state.decode(), error.decode(), moment, _STATES.get(state, b"\0"))
