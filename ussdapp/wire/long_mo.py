"""Knows how a handset's long text comes in parts: concatenation headers and SAR parameters.

3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8 (references of 8 and 16 bits); SMPP 3.4, 5.3.2.22-24.
"""

from typing import Final, NamedTuple

from ussdapp.wire.bodies import Delivered

_UDHI: Final = 0x40  # esm_class: the message begins with a header
_CONCATENATED: Final = {0x00: 3, 0x08: 4}  # element and its octets: reference of 8, of 16 bits
_SAR: Final = (0x020C, 0x020F, 0x020E)  # reference, number, total


class Place(NamedTuple):
    """Where a part belongs; `reference` tells by its first letter in which header it stood."""

    reference: str
    number: int
    total: int


def place_of(delivered: Delivered) -> Place | None:
    """The place of a part in its text; None for a text of its own."""
    place = _from_header(delivered) or _from_parameters(delivered)
    if place is None or place.total < 2 or not 1 <= place.number <= place.total:
        return None
    return place


def without_header(delivered: Delivered) -> bytes:
    """The octets of the text alone."""
    message = delivered.short_message
    if delivered.esm_class & _UDHI and message:
        return message[1 + message[0] :]
    return message


def _from_header(delivered: Delivered) -> Place | None:
    if not delivered.esm_class & _UDHI or not delivered.short_message:
        return None
    header = delivered.short_message[1 : 1 + delivered.short_message[0]]
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        octets = header[at + 2 : at + 2 + length]
        if _CONCATENATED.get(element) == length == len(octets):
            return Place(f"u{octets[:-2].hex()}", octets[-1], octets[-2])
        at += 2 + length
    return None


def _from_parameters(delivered: Delivered) -> Place | None:
    reference, number, total = (delivered.tlvs.get(tag, b"") for tag in _SAR)
    if (len(reference), len(number), len(total)) != (2, 1, 1):
        return None
    return Place(f"s{reference.hex()}", number[0], total[0])
