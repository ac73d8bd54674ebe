"""Knows how a USSD dialogue travels over SMPP: which parameters tell session, first, next and over.

SMPP 3.4: ussd_service_op (5.3.2.44), its_session_info (5.3.2.43), user_message_reference
(5.3.2.17). What gateways make of them differs, and is data: a Style.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from ussdapp.core import gsm7
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown
from ussdapp.wire.bodies import Address, Delivered, SubmitFields, submit_body
from ussdapp.wire.fields import maybe_msisdn
from ussdapp.wire.http import BadRequest
from ussdapp.wire.receipt_text import decoded, text_of

TLV_SERVICE_OP: Final = 0x0501
TLV_SESSION_INFO: Final = 0x1383
TLV_MESSAGE_REFERENCE: Final = 0x0204
_UCS2: Final = 8
_CUT: Final = "..."
_CODE: Final = re.compile(r"[0-9A-Za-z*#]{1,20}")
_NAMES: Final = {
    TLV_SESSION_INFO: "its_session_info",
    TLV_MESSAGE_REFERENCE: "user_message_reference",
}

Says = Literal["first", "next", "over"]
CodeIn = Literal["destination_addr", "short_message"]


@dataclass(frozen=True, slots=True)
class Style:
    """How one family of gateways speaks. `session_named_by` is a parameter of two octets; only the
    bits of `session_mask` stay the same all through a dialogue. `over_bit` of it tells the end,
    both ways; 0 is none. `asks` and `closes` are the operations of a screen and of the last."""

    session_named_by: int
    session_mask: int
    over_bit: int
    first_told_by: int
    next_told_by: frozenset[int]
    over_told_by: frozenset[int]
    otherwise: Says
    asks: int
    closes: int
    code_in: CodeIn
    cumulative: bool = False

    def says(self, operation: int, session: int) -> Says:
        """What a request is."""
        if session & self.over_bit or operation in self.over_told_by:
            return "over"
        if operation == self.first_told_by:
            return "first"
        return "next" if operation in self.next_told_by else self.otherwise


@dataclass(frozen=True, slots=True)
class Screens:
    """How a channel's screens are written: the source address' type, service_type, and the octets
    a USSD string may take on the network: 140 are 160 septets or 70 UCS-2 units."""

    source_type: tuple[int, int]
    service_type: str
    octets: int


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """What one deliver_sm says of a dialogue. `session` is the number as it came, `reference` what
    stays the same of it; `text` is what was keyed, "" for a first one."""

    says: Says
    msisdn: Msisdn
    session: int
    reference: str
    service_code: str
    text: str


def is_ussd(delivered: Delivered) -> bool:
    """Whether a deliver_sm belongs to a dialogue rather than to a text or a receipt."""
    return TLV_SERVICE_OP in delivered.tlvs


def read_ussd(delivered: Delivered, style: Style) -> Said:
    """Raises BadRequest without an operation, a session or an MSISDN."""
    operation = delivered.tlvs.get(TLV_SERVICE_OP, b"")
    if len(operation) != 1:
        raise BadRequest("ussd_service_op", "ussd_service_op is no octet")
    session = _session(delivered, style)
    msisdn = maybe_msisdn(delivered.source_addr)
    if msisdn is None:
        raise BadRequest("source_addr", "source_addr is no MSISDN")
    says, text = style.says(operation[0], session), _text(delivered)
    dialled = text if says == "first" and style.code_in == "short_message" else ""
    return Said(
        says=says,
        msisdn=msisdn,
        session=session,
        reference=f"{session & style.session_mask:04x}",
        service_code=_code(dialled) or _code(delivered.destination_addr),
        text=text if says == "next" else "",
    )


def screen_body(said: Said, style: Style, screens: Screens, shown: Shown) -> tuple[bytes, bool]:
    """The submit_sm body of a screen, and whether its text had to be cut to fit. No receipt is
    asked for: a screen is no notification."""
    coding, (octets, was_cut) = _written(shown.text, screens.octets)
    session = said.session & ~style.over_bit | (style.over_bit if shown.ends else 0)
    body = submit_body(
        SubmitFields(
            source=Address(*screens.source_type, said.service_code),
            destination=Address(1, 1, said.msisdn.digits),
            short_message=octets,
            data_coding=coding,
            registered_delivery=0,
            tlvs={
                TLV_SERVICE_OP: bytes((style.closes if shown.ends else style.asks,)),
                style.session_named_by: session.to_bytes(2, "big"),
            },
        )
    )
    # service_type stands first (4.4.1), and is empty in what submit_body writes
    return screens.service_type.encode("ascii") + body, was_cut


def _written(text: str, octets: int) -> tuple[int, tuple[bytes, bool]]:
    if gsm7.septets(text) is None:
        return _UCS2, _fitted(text, _utf16, octets // 2 * 2)
    return 0, _fitted(text, gsm7.encode, octets * 8 // 7)


def _session(delivered: Delivered, style: Style) -> int:
    octets = delivered.tlvs.get(style.session_named_by, b"")
    if len(octets) != 2:
        name = _NAMES[style.session_named_by]
        raise BadRequest(name, f"{name} is missing or not two octets")
    return int.from_bytes(octets, "big")


def _code(spelt: str) -> str:
    """A service code as a source address can hold it, "" for what is none."""
    return spelt if _CODE.fullmatch(spelt) else ""


def _text(delivered: Delivered) -> str:
    """What was keyed. data_coding may be that of a USSD string (3GPP TS 23.038 section 5), whose
    0x40-0x7f tell UCS-2 in bits 3-2."""
    coding = delivered.data_coding
    if 0x40 <= coding < 0x80 and coding & 0x0C == _UCS2:
        return decoded(delivered.short_message, _UCS2)
    return text_of(delivered)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "replace")


def _fitted(text: str, encode: Callable[[str], bytes], most: int) -> tuple[bytes, bool]:
    whole = encode(text)
    if len(whole) <= most:
        return whole, False
    kept = text[:most]
    while len(encode(kept + _CUT)) > most:
        kept = kept[:-1]
    return encode(kept + _CUT), True
