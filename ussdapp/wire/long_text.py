"""Knows how a text of one or more parts is written in submit_sm: alphabet, header, parameters."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Literal

from ussdapp.core import parts
from ussdapp.wire.bodies import Address, SubmitFields, submit_body
from ussdapp.wire.pdu import TLV_MESSAGE_PAYLOAD
from ussdapp.wire.validity import with_validity

# A header in the text (3GPP TS 23.040, 9.2.3.24.1), the SAR parameters (SMPP 3.4, 5.3.2.22-24), or
# all of it in one PDU (5.3.2.32), which the SMSC then splits.
LongText = Literal["udh", "sar", "payload"]
UDHI: Final = 0x40  # esm_class: short_message begins with a header
TLV_SAR_REFERENCE, TLV_SAR_TOTAL, TLV_SAR_NUMBER = 0x020C, 0x020E, 0x020F
_CODING: Final = {parts.Encoding.GSM7: 0, parts.Encoding.UCS2: 8}
_GSM7: Final = 0  # data_coding: the SMSC's default alphabet, GSM-7 on every one we met
_SAR_REFERENCES: Final = 0x10000


class TextBodies:
    """Writes texts of one channel; `source` gives the address of a sender ID. SAR references are
    counted up to `sar_references`: some SMSCs keep less than the two octets of one (quirk 30)."""

    def __init__(
        self,
        source: Callable[[str], Address],
        long_text: LongText = "udh",
        sar_references: int = _SAR_REFERENCES,
    ) -> None:
        self._source, self._long_text, self._references = source, long_text, sar_references
        self._head = lru_cache(1024)(self._written_head)

    def only(self, septets: bytes, sender_id: str, destination: str, valid: bytes = b"") -> bytes:
        """The body of a text that is one part of GSM-7, to an MSISDN, with that validity_period;
        raises ValueError for a sender ID that cannot be written."""
        middle = _middle(len(septets), valid)
        return b"".join((self._head(sender_id), destination.encode(), middle, septets))

    def all(self, text: str, sender_id: str, destination: str, reference: int) -> list[bytes]:
        """One body a part, in order, or one for all of them; `reference` tells the handset which
        parts belong together. Raises parts.TooLong, and ValueError as `only`."""
        source, there = self._source(sender_id), Address(1, 1, destination)
        if self._long_text == "sar":
            return sar_bodies(text, source, there, reference % self._references)
        if self._long_text == "payload":
            return payload_bodies(text, source, there)
        return text_bodies(text, source, there, reference & 0xFF)

    def _written_head(self, sender_id: str) -> bytes:
        """What stands before the digits of an MSISDN of twelve."""
        fields = SubmitFields(self._source(sender_id), Address(1, 1, ""), b"")
        return submit_body(fields)[: -len(_middle(0, b""))]


def text_bodies(text: str, source: Address, destination: Address, reference: int) -> list[bytes]:
    """One submit_sm body a part, in order; `reference` (0-255) tells the handset which parts
    belong together. Raises parts.TooLong, and ValueError for an address that cannot be written."""
    cut = parts.split(text)
    total = len(cut)
    return [
        _body(
            source,
            destination,
            _header(reference, total, number) + body,
            _CODING[cut.encoding],
            UDHI if total > 1 else 0,
        )
        for number, body in enumerate(cut.bodies, 1)
    ]


def sar_bodies(text: str, source: Address, destination: Address, reference: int) -> list[bytes]:
    """As text_bodies, the place of a part in parameters; `reference` is 0-65535."""
    cut = parts.split(text)
    total = len(cut)
    alone = total == 1
    return [
        _body(
            source,
            destination,
            body,
            _CODING[cut.encoding],
            tlvs={} if alone else _place(reference, total, number),
        )
        for number, body in enumerate(cut.bodies, 1)
    ]


def payload_bodies(text: str, source: Address, destination: Address) -> list[bytes]:
    """One body, whatever the length up to parts.MOST_PARTS; raises as text_bodies."""
    cut = parts.split(text)
    coding = _CODING[cut.encoding]
    if len(cut) == 1:
        return [_body(source, destination, cut.bodies[0], coding)]
    tlvs = {TLV_MESSAGE_PAYLOAD: b"".join(cut.bodies)}
    return [_body(source, destination, b"", coding, tlvs=tlvs)]


def _body(
    source: Address,
    destination: Address,
    message: bytes,
    coding: int,
    esm_class: int = 0,
    *,
    tlvs: Mapping[int, bytes] | None = None,
) -> bytes:
    fields = SubmitFields(source, destination, message, coding, esm_class, tlvs=tlvs or {})
    return submit_body(fields)


def _header(reference: int, total: int, number: int) -> bytes:
    """A concatenation header with an 8-bit reference (3GPP TS 23.040, 9.2.3.24.1)."""
    return bytes((5, 0, 3, reference, total, number)) if total > 1 else b""


def _place(reference: int, total: int, number: int) -> Mapping[int, bytes]:
    return {
        TLV_SAR_REFERENCE: reference.to_bytes(2, "big"),
        TLV_SAR_TOTAL: bytes((total,)),
        TLV_SAR_NUMBER: bytes((number,)),
    }


@lru_cache(4096)
def _middle(length: int, valid: bytes) -> bytes:
    """What stands between the destination's digits and so many octets of short_message."""
    fields = SubmitFields(Address(0, 0, ""), Address(0, 0, ""), bytes(length), _GSM7)
    head = len(b"\0" + b"\0\0\0" + b"\0\0")
    return with_validity(submit_body(fields), valid)[head:][: -length or None]
