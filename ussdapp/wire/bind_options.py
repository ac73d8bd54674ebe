"""Knows all that a channel's settings say of its bind, read and checked."""

import random
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

from ussdapp.core.status import Status
from ussdapp.ports import Outcome
from ussdapp.wire.bodies import Address, Login
from ussdapp.wire.inward import Alphabet
from ussdapp.wire.long_text import LongText
from ussdapp.wire.own_words import read_errors, read_states, read_statuses
from ussdapp.wire.pulse import Limits
from ussdapp.wire.receipt_text import Detect
from ussdapp.wire.smpp_options import (
    flag,
    one_of,
    positive,
    read,
    read_login,
    read_tls,
    within,
)
from ussdapp.wire.ussd_tlvs import Screens, Style
from ussdapp.wire.validity import Validity

_SHORT_CODE: Final = 8  # digits at most; longer is an MSISDN
_USSD_OCTETS: Final = 140  # 160 septets or 70 UCS-2 units, what a menu is proven for
_SERVICE_TYPE: Final = re.compile(r"[0-9A-Za-z]{0,5}")
_SAR_REFERENCES: Final = 0x10000  # sar_msg_ref_num has two octets
_PDU_OCTETS: Final = (1024, 70_000)  # faults.md row 45
_CODE_IN: Final = ("destination_addr", "short_message")


@dataclass(frozen=True, slots=True)
class SmppOptions:
    """What a configured channel says; `ussd` is None where its bind carries no dialogues."""

    login: Login
    limits: Limits
    window: int
    tps: float
    detect: Detect
    short_code_type: tuple[int, int]  # TON and NPI of a short code as source
    rebind_s: float
    tls: ssl.SSLContext | None
    chance: Callable[[], float]
    ussd: tuple[Style, Screens] | None
    long_text: LongText
    sar_references: int
    validity: Validity
    alphabet: Alphabet
    states: Mapping[str, Status]
    statuses: Mapping[int, Outcome]
    errors: frozenset[str]

    def source(self, sender_id: str) -> Address:
        """The source address: alphanumeric 5/0, MSISDN 1/1, short code 3/0 unless configured."""
        if not (sender_id.isascii() and sender_id.isdigit()):
            return Address(5, 0, sender_id)
        if len(sender_id) > _SHORT_CODE:
            return Address(1, 1, sender_id)
        return Address(*self.short_code_type, sender_id)


def read_smpp_options(options: Mapping[str, object], styles: Mapping[str, Style]) -> SmppOptions:
    """The options read and checked; raises ValueError naming the one that is missing or wrong."""
    draw = random.SystemRandom()
    window = int(positive(options, "window", 100))
    short_code_type = (
        read(options, "short_code_ton", int, 3),
        read(options, "short_code_npi", int, 0),
    )
    return SmppOptions(
        login=read_login(options),
        limits=Limits(
            enquire_s=positive(options, "enquire_s", 30.0),
            response_s=positive(options, "response_s", 60.0),
            window=window,
            pdu_octets=within(options, "pdu_octets", 16 * 1024, _PDU_OCTETS),
        ),
        window=window,
        tps=read(options, "tps", float, 0.0),
        detect="text" if flag(options, "receipts_by_text") else "marks",
        short_code_type=short_code_type,
        rebind_s=positive(options, "rebind_s", 1.0),
        tls=read_tls(options),
        chance=draw.random,
        ussd=_ussd(options, styles, short_code_type),
        long_text=cast("LongText", one_of(options, "long_text", get_args(LongText))),
        sar_references=within(options, "sar_references", _SAR_REFERENCES, (2, _SAR_REFERENCES)),
        validity=cast("Validity", one_of(options, "validity", get_args(Validity))),
        alphabet=cast("Alphabet", one_of(options, "alphabet", get_args(Alphabet))),
        states=read_states(options),
        statuses=read_statuses(options),
        errors=read_errors(options),
    )


def _ussd(
    options: Mapping[str, object], styles: Mapping[str, Style], source_type: tuple[int, int]
) -> tuple[Style, Screens] | None:
    if "ussd_style" not in options:
        return None
    name = read(options, "ussd_style", str)
    if name not in styles:
        raise ValueError(f"ussd_style is one of {', '.join(styles)}")
    style = styles[name]
    service_type = read(options, "ussd_service_type", str, "")
    if not _SERVICE_TYPE.fullmatch(service_type):
        raise ValueError("ussd_service_type is at most 5 letters and digits")
    octets = int(positive(options, "ussd_octets", _USSD_OCTETS))
    if octets > 160:
        raise ValueError("ussd_octets is at most 160, what a USSD string can carry")
    code_in = read(options, "ussd_code_in", str, style.code_in)
    if code_in not in _CODE_IN:
        raise ValueError(f"ussd_code_in is one of {', '.join(_CODE_IN)}")
    return replace(style, code_in=code_in), Screens(source_type, service_type, octets)
