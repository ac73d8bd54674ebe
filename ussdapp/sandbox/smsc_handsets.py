"""Knows the handsets behind the simulated SMSC that dial and key: USSD over SMPP, its far side."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ussdapp.channels.smpp.styles import STYLES
from ussdapp.core import gsm7
from ussdapp.core.session import Shown
from ussdapp.wire.bodies import Address, Delivered, SubmitFields, submit_body
from ussdapp.wire.receipt_text import text_of
from ussdapp.wire.ussd_tlvs import TLV_SERVICE_OP, Style, is_ussd

SHOWN_WITHIN: Final = 15.0  # seconds a network waits for a screen
_NO_DIALOGUE: Final = 0x45  # ESME_RSUBMITFAIL
_ABORT: Final = 0x81
_NEXT: Final = 0x12  # USSR confirm: what every style takes for a key

Submit = tuple[int, Delivered]


@dataclass(slots=True)
class Handset:
    """One dialogue; `screen` is what it waits for."""

    msisdn: str
    code: str
    style: Style
    session: int
    screen: "asyncio.Future[Shown] | None" = None
    over: bool = False


@dataclass(slots=True)
class Handsets:
    """All dialogues that are open; `deliver` gives a deliver_sm body to a bind."""

    deliver: Callable[[bytes], Awaitable[int | None]]
    _open: dict[int, Handset] = field(default_factory=dict)  # by the number control knows it by
    _waiting: dict[tuple[str, int], Handset] = field(default_factory=dict)  # MSISDN, session
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def ussd(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """{"from", "dial", "style"} dials, {"session"} goes on; both may have "keys", a list, and
        "hangs_up". Returns the session and its screens: {"text", "ends"} each. Raises LookupError
        for a session or a style nobody knows and where no screen came, ValueError for nonsense."""
        screens: list[Shown] = []
        number = int(asked.get("session", 0)) or next(self._numbers)
        if "session" not in asked:
            handset = self._open[number] = _dialled(asked, number)
            screens.append(await self._says(handset, handset.style.first_told_by, handset.code))
        handset = self._open[number]
        for key in map(str, asked.get("keys", ())):
            if handset.over:
                break
            screens.append(await self._says(handset, _NEXT, key))
        if asked.get("hangs_up") and not handset.over:
            handset.over = True
            await self.deliver(_body(handset, _ABORT, "", handset.style.over_bit))
        if handset.over:
            del self._open[number]
        told = [{"text": shown.text, "ends": shown.ends} for shown in screens]
        return {"session": number, "screens": told}

    def show(self, submit: Delivered) -> int:
        """Gives a screen to its handset; the status it is answered with."""
        for style in STYLES.values():
            session = int.from_bytes(submit.tlvs.get(style.session_named_by, b""), "big")
            place = (submit.destination_addr, session & ~style.over_bit)
            handset = self._waiting.pop(place, None)
            if handset is not None and handset.screen is not None:
                closes = submit.tlvs[TLV_SERVICE_OP] != bytes((style.asks,))
                handset.over = closes or bool(session & style.over_bit)
                handset.screen.set_result(Shown(text_of(submit), handset.over))
                return 0
        return _NO_DIALOGUE

    async def _says(self, handset: Handset, operation: int, text: str) -> Shown:
        place = (handset.msisdn, handset.session)
        handset.screen = asyncio.get_running_loop().create_future()
        self._waiting[place] = handset
        try:
            status = await self.deliver(_body(handset, operation, text))
            if status != 0:
                raise LookupError(f"the key was answered with {status}")
            return await asyncio.wait_for(handset.screen, SHOWN_WITHIN)
        except TimeoutError:
            raise LookupError("no screen came") from None
        finally:
            self._waiting.pop(place, None)


def _dialled(asked: Mapping[str, Any], number: int) -> Handset:
    # its lower octet, counter and end bit, is free in every style
    session = (number & 0xFF) << 8
    style = STYLES[asked.get("style", "tata")]
    return Handset(str(asked["from"]), str(asked["dial"]), style, session)


def apart(submits: Sequence[Submit]) -> tuple[list[Submit], list[Submit]]:
    """The texts and the screens among what was submitted."""
    texts = [one for one in submits if not is_ussd(one[1])]
    return texts, [one for one in submits if is_ussd(one[1])]


def _body(handset: Handset, operation: int, text: str, over: int = 0) -> bytes:
    """A deliver_sm, which has submit_sm's fields."""
    plain = gsm7.septets(text) is not None
    return submit_body(
        SubmitFields(
            source=Address(1, 1, handset.msisdn),
            destination=Address(0, 0, handset.code),
            short_message=gsm7.encode(text) if plain else text.encode("utf-16-be", "replace"),
            data_coding=0 if plain else 8,
            registered_delivery=0,
            tlvs={
                TLV_SERVICE_OP: bytes((operation,)),
                handset.style.session_named_by: (handset.session | over).to_bytes(2, "big"),
            },
        )
    )
