"""Knows the bodies of SMPP 3.4 messages: bind, submit_sm, deliver_sm, data_sm (4.1-4.7)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ussdapp.wire.pdu import (
    TLV_MESSAGE_PAYLOAD,
    Malformed,
    c_octets,
    c_string,
    read_tlvs,
    write_tlvs,
)

MOST_SHORT_MESSAGE: Final = 254  # octets; more goes in the message_payload parameter
_ADDRESS: Final = 21  # octets with the NUL
_DATA_ADDRESS: Final = 65  # data_sm allows longer addresses (4.7.1)
_AT_DEFAULT_ALPHABET: Final = "@"
_INTERFACE: Final = 0x34


@dataclass(frozen=True, slots=True)
class Address:
    """An address and its type of number and numbering plan (5.2.5, 5.2.6)."""

    ton: int
    npi: int
    digits: str


@dataclass(frozen=True, slots=True, repr=False)
class SubmitFields:
    """What a submit_sm says; `short_message` holds at most 254 octets, UDH included."""

    source: Address
    destination: Address
    short_message: bytes
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 1
    priority: int = 0
    tlvs: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Delivered:
    """What a deliver_sm or data_sm brought; `short_message` is message_payload where that was
    used. Also the shape of a submit_sm, as the SMSC's side reads it."""

    source_addr: str
    destination_addr: str
    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: Mapping[int, bytes]
    registered_delivery: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """Who binds where. Raises ValueError for a system_id over 15 or a password over 8 characters:
    the specification's limits (4.1.1); a truncated password would only be refused later."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    bind_type: str = "transceiver"  # or transmitter, receiver
    system_type: str = ""

    def __post_init__(self) -> None:
        bind_body(self)
        if self.bind_type not in ("transceiver", "transmitter", "receiver"):
            raise ValueError("bind_type is transceiver, transmitter or receiver")


def bind_body(login: Login) -> bytes:
    """The body of bind_transmitter, bind_receiver and bind_transceiver, which are alike."""
    return b"".join(
        (
            _limited("system_id", login.system_id, 16),
            _limited("password", login.password, 9),
            _limited("system_type", login.system_type, 13),
            bytes((_INTERFACE, 0, 0)),
            b"\0",
        )
    )


def submit_body(fields: SubmitFields) -> bytes:
    """The body of submit_sm, and of deliver_sm, which has the same fields (4.6.1); raises
    ValueError for an address or a message that does not fit."""
    message = fields.short_message
    if len(message) > MOST_SHORT_MESSAGE:
        raise ValueError(f"short_message of {len(message)} octets, at most 254 fit")
    return b"".join(
        (
            b"\0",
            _address(fields.source),
            _address(fields.destination),
            bytes((fields.esm_class, 0, fields.priority, 0, 0)),
            bytes((fields.registered_delivery, 0, fields.data_coding, 0, len(message))),
            message,
            write_tlvs(fields.tlvs),
        )
    )


def read_delivered(body: bytes) -> Delivered:
    """Reads a deliver_sm (or submit_sm) body; raises Malformed."""
    _, at = c_string(body, 0, 6)
    source, at = c_string(body, at + 2, _ADDRESS)
    destination, at = c_string(body, at + 2, _ADDRESS)
    esm_class = _octet(body, at)
    _, at = c_string(body, at + 3, 17)
    _, at = c_string(body, at, 17)
    try:
        registered, _, coding, _, length = struct.unpack_from("5B", body, at)
    except struct.error as error:
        raise Malformed("the body is cut short") from error
    at += 5 + length
    if at > len(body):
        raise Malformed("short_message is longer than its PDU")
    message = body[at - length : at]
    tlvs = read_tlvs(body, at)
    return Delivered(
        source.decode("latin-1"),
        destination.decode("latin-1"),
        esm_class,
        coding,
        message or tlvs.get(TLV_MESSAGE_PAYLOAD, b""),
        tlvs,
        registered,
    )


def read_data(body: bytes) -> Delivered:
    """Reads a data_sm body; raises Malformed."""
    _, at = c_string(body, 0, 6)
    source, at = c_string(body, at + 2, _DATA_ADDRESS)
    destination, at = c_string(body, at + 2, _DATA_ADDRESS)
    esm_class, registered, coding = (_octet(body, at + place) for place in range(3))
    tlvs = read_tlvs(body, at + 3)
    return Delivered(
        source.decode("latin-1"),
        destination.decode("latin-1"),
        esm_class,
        coding,
        tlvs.get(TLV_MESSAGE_PAYLOAD, b""),
        tlvs,
        registered,
    )


def _address(address: Address) -> bytes:
    # '@' is 0x00 in the GSM alphabet: some SMSCs map it to NUL, which cuts the address short
    if _AT_DEFAULT_ALPHABET in address.digits:
        raise ValueError("an address does not hold '@'")
    return bytes((address.ton, address.npi)) + c_octets(address.digits, _ADDRESS)


def _limited(name: str, text: str, most: int) -> bytes:
    try:
        return c_octets(text, most)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _octet(body: bytes, at: int) -> int:
    if at >= len(body):
        raise Malformed("the body is cut short")
    return body[at]
