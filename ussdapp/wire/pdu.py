"""Knows SMPP 3.4 framing: headers, C-octet strings, optional parameters (SMPP 3.4, 3.2 and 4)."""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
BIND_TRANSCEIVER: Final = 0x00000009
ENQUIRE_LINK: Final = 0x00000015
DATA_SM: Final = 0x00000103
RESPONSE: Final = 0x80000000  # this bit tells a response from its request

ESME_ROK: Final = 0x00
ESME_RINVMSGLEN: Final = 0x01
ESME_RINVCMDLEN: Final = 0x02
ESME_RINVCMDID: Final = 0x03
ESME_RINVBNDSTS: Final = 0x04
ESME_RTHROTTLED: Final = 0x58
ESME_RX_T_APPN: Final = 0x64  # not kept: give it to us again

TLV_NETWORK_ERROR: Final = 0x0423
TLV_MESSAGE_PAYLOAD: Final = 0x0424
TLV_MESSAGE_STATE: Final = 0x0427
TLV_RECEIPTED_ID: Final = 0x001E

HEADER: Final = struct.Struct(">IIII")
HEADER_OCTETS: Final = 16
LAST_SEQUENCE: Final = 0x7FFFFFFF
_TLV: Final = struct.Struct(">HH")


class Malformed(Exception):
    """The octets are no SMPP PDU."""


class Pdu(NamedTuple):
    """One PDU; `body` is what follows the header."""

    command: int
    status: int
    sequence: int
    body: bytes


class Cut(NamedTuple):
    """The whole PDUs at the head of a stream, what follows them, and the sequence number of a
    header whose length cannot be true (None while all is well)."""

    pdus: list[Pdu]
    rest: bytes
    broken: int | None


def encode(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """The octets of one PDU."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def cut(data: bytes, cap: int) -> Cut:
    """Cuts whole PDUs of 16 to `cap` octets off the head of `data`."""
    pdus, at, broken = cut_from(data, 0, cap)
    return Cut(pdus, data[at:], broken)


def cut_from(
    data: bytes, at: int, cap: int, before: int | None = None
) -> tuple[list[Pdu], int, int | None]:
    """The whole PDUs from `at` on, where they end, and `broken` as in Cut; stops when one of the
    command `before` comes after others."""
    unpack, made = HEADER.unpack_from, tuple.__new__
    pdus: list[Pdu] = []
    end = len(data)
    while end - at >= HEADER_OCTETS:
        length, command, status, sequence = unpack(data, at)
        if not HEADER_OCTETS <= length <= cap:
            return pdus, at, sequence
        if end - at < length or (command == before and pdus):
            break
        # as Pdu(...), in half the time: this runs for every receipt of a bulk
        pdus.append(made(Pdu, (command, status, sequence, data[at + 16 : at + length])))
        at += length
    return pdus, at, None


def behead(data: bytes, cap: int) -> tuple[Pdu | None, bytes, int | None]:
    """The first PDU if it is whole, what follows it, and `broken` as in Cut."""
    length = HEADER.unpack_from(data)[0] if len(data) >= HEADER_OCTETS else 0
    pdus, rest, broken = cut(data[: max(length, HEADER_OCTETS)], cap)
    if not pdus:
        return None, data, broken
    return pdus[0], rest + data[length:], broken


def c_string(body: bytes, at: int, most: int) -> tuple[bytes, int]:
    """The C-octet string at `at`, at most `most` octets with its NUL, and where it ends."""
    end = body.find(b"\0", at, at + most)
    if end < 0:
        raise Malformed("a C-octet string does not end")
    return body[at:end], end + 1


def read_tlvs(body: bytes, at: int) -> dict[int, bytes]:
    """The optional parameters from `at` to the end; of a repeated tag the last one counts."""
    tlvs: dict[int, bytes] = {}
    while at < len(body):
        if len(body) - at < _TLV.size:
            raise Malformed("an optional parameter is cut short")
        tag, length = _TLV.unpack_from(body, at)
        at += _TLV.size + length
        if at > len(body):
            raise Malformed("an optional parameter is longer than its PDU")
        tlvs[tag] = body[at - length : at]
    return tlvs


def write_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """The octets of optional parameters, in the order given."""
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs.items())


def c_octets(text: str, most: int) -> bytes:
    """The text as a C-octet string of at most `most` octets with its NUL; else ValueError."""
    if not (text.isascii() and (text.isprintable() or not text)):
        raise ValueError("an SMPP text field is printable ASCII")
    if len(text) >= most:
        raise ValueError(f"an SMPP text field of {len(text)} characters, at most {most - 1} fit")
    return text.encode("ascii") + b"\0"
