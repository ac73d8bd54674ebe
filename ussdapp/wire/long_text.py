"""Knows how a text of one or more parts is written in short_message: alphabet and header."""

from typing import Final

from ussdapp.core import parts
from ussdapp.wire.bodies import Address, SubmitFields, submit_body

UDHI: Final = 0x40  # esm_class: short_message begins with a header
_GSM7, _UCS2 = 0, 8  # data_coding; 0 is the SMSC's default alphabet, GSM-7 on every one we met


def text_bodies(text: str, source: Address, destination: Address, reference: int) -> list[bytes]:
    """One submit_sm body a part, in order; `reference` (0-255) tells the handset which parts
    belong together. Raises parts.TooLong, and ValueError for an address that cannot be written."""
    cut = parts.split(text)
    coding = _GSM7 if cut.encoding is parts.Encoding.GSM7 else _UCS2
    total = len(cut)
    return [
        submit_body(
            SubmitFields(
                source=source,
                destination=destination,
                short_message=_header(reference, total, number) + body,
                data_coding=coding,
                esm_class=UDHI if total > 1 else 0,
            )
        )
        for number, body in enumerate(cut.bodies, 1)
    ]


def _header(reference: int, total: int, number: int) -> bytes:
    """A concatenation header with an 8-bit reference (3GPP TS 23.040, 9.2.3.24.1)."""
    return bytes((5, 0, 3, reference, total, number)) if total > 1 else b""
