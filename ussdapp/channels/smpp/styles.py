"""How three families of gateways spell USSD dialogues over SMPP, which leaves that to them: vumi's
transports, read in 2026."""

from collections.abc import Mapping
from typing import Final

from ussdapp.wire.ussd_tlvs import TLV_MESSAGE_REFERENCE, TLV_SESSION_INFO, Style

# All hold the last input alone. Where an operation is in no table, each takes its family's way.
_USSR_REQUEST, _USSR_CONFIRM, _ABORT = 0x02, 0x12, 0x81
STYLES: Final[Mapping[str, Style]] = {
    "tata": Style(
        session_named_by=TLV_SESSION_INFO,
        session_mask=0xFF00,  # 5.3.2.43: the first octet stays, the second may count
        over_bit=0x0001,
        first_told_by=0x01,
        next_told_by=frozenset({_USSR_REQUEST, _USSR_CONFIRM}),
        over_told_by=frozenset({0x11}),
        otherwise="over",
        asks=_USSR_REQUEST,
        closes=_USSR_REQUEST,
        code_in="destination_addr",
    ),
    "mica": Style(
        session_named_by=TLV_MESSAGE_REFERENCE,
        session_mask=0xFFFF,
        over_bit=0,
        first_told_by=0x01,
        next_told_by=frozenset({_USSR_CONFIRM}),
        over_told_by=frozenset({_ABORT}),
        otherwise="next",
        asks=_USSR_REQUEST,
        closes=0x17,
        code_in="short_message",
    ),
    "sixdee": Style(
        session_named_by=TLV_SESSION_INFO,
        session_mask=0xFFFE,
        over_bit=0x0001,
        first_told_by=0x01,
        next_told_by=frozenset({_USSR_CONFIRM}),
        over_told_by=frozenset({_ABORT}),
        otherwise="next",
        asks=_USSR_REQUEST,
        closes=0x17,
        code_in="short_message",  # some write it in destination_addr: `ussd_code_in`
    ),
}
