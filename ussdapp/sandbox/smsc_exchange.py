"""Knows the simulated SMSC behind its connections: what it takes, refuses, answers and owes."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from ussdapp.sandbox.smsc_handsets import Handsets, apart
from ussdapp.sandbox.smsc_knobs import Knobs, share
from ussdapp.sandbox.smsc_ledger import Ledger, line_of
from ussdapp.sandbox.smsc_session import Session, submit_response
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, Delivered, SubmitFields, submit_body
from ussdapp.wire.long_text import text_bodies

THROTTLED: Final = 0x58
_BIND_FAILED: Final = 0x0D
_STATE_NUMBERS: Final = {
    "ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4,
    "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8,
}  # fmt: skip
_TRY_AGAIN_S: Final = 0.5  # after a deliver_sm was answered ESME_RX_T_APPN
_EAT: Final = timezone(timedelta(hours=3))  # SMSCs write their local time


@dataclass(frozen=True, slots=True)
class Account:
    """Who may bind; "" lets anybody in with any password."""

    system_id: str = ""
    password: str = ""


class SmscExchange:
    """All sessions, and what each system_id is owed: receipts outlive the bind they were made on,
    not this process."""

    def __init__(self, ledger: Ledger, knobs: Knobs, account: Account) -> None:
        self.knobs = knobs
        self.stats: Counter[str] = Counter()
        self._ledger, self._account = ledger, account
        self._sessions: set[Session] = set()
        self._owed: dict[str, deque[bytes]] = {}
        self._held: list[tuple[Session, bytes]] = []
        self.handsets = Handsets(self.deliver)
        self._first_id = self._last_id = time.time_ns() // 1000  # so that a restart repeats none
        self._second = (0, 0)  # which one, and how many submits it had

    # what sessions need

    def admit(self, system_id: str, password: str) -> int:
        if self.knobs.refuse_bind:
            return self.knobs.refuse_bind
        wanted = self._account
        fits = not wanted.system_id or (system_id, password) == (wanted.system_id, wanted.password)
        return pdu.ESME_ROK if fits else _BIND_FAILED

    def bound(self, session: Session) -> None:
        self._sessions.add(session)
        self.stats["binds"] += 1
        session.listen(deaf=self.knobs.deaf)
        self.heard(session)

    def gone(self, session: Session) -> None:
        self._sessions.discard(session)
        self._held = [held for held in self._held if held[0] is not session]

    def heard(self, session: Session) -> None:
        owed = self._owed.get(session.system_id, deque())
        while owed and session.room:
            self._give(session, owed.popleft())

    def take(self, session: Session, submits: list[tuple[int, Delivered]]) -> None:
        lines: list[dict[str, Any]] = []
        submits, screens = apart(submits)
        for sequence, screen in screens:
            self._take_screen(session, sequence, screen)
        answers: list[Callable[[], None]] = []
        for sequence, submit in submits:
            status = self._judge(submit)
            if status:
                self.stats["refused"] += 1
                answers.append(_later(self._answer, session, submit_response(sequence, status, "")))
                continue
            self._last_id = self._next_id()
            lines.append(line_of(submit, self._spelt(self.knobs.id_form), session.system_id))
            answers.extend(self._consequences(session, sequence, submit))
        self._ledger.add(lines)
        for answer in answers:
            answer()
        self._maybe_drop(session, len(lines))

    def _take_screen(self, session: Session, sequence: int, screen: Delivered) -> None:
        """A screen is no SMS: it is in no ledger and has no receipt."""
        status = self._judge(screen) or self.handsets.show(screen)
        self.stats["screens_refused" if status else "screens"] += 1
        self._last_id += 1
        message_id = "" if status else self._spelt(self.knobs.id_form)
        self._answer(session, submit_response(sequence, status, message_id))

    # what control asks

    def set(self, changes: Mapping[str, Any]) -> None:
        """Turns knobs; raises ValueError."""
        self.knobs = self.knobs.set(changes)
        for session in self._sessions:
            session.listen(deaf=self.knobs.deaf)
        if not self.knobs.hold:
            held, self._held = self._held, []
            for session, octets in held:
                self._answer(session, octets)

    def disconnect(self) -> int:
        """Drops every connection; returns how many."""
        sessions = list(self._sessions)
        for session in sessions:
            session.drop()
        return len(sessions)

    async def mo(self, sender: str, short_code: str, text: str) -> list[int | None]:
        """Delivers a text from a handset to some bind; the status each part was answered with,
        None where the bind died. Raises LookupError when no bind receives."""
        session = self._receiving()
        self._last_id += 1
        statuses = []
        source, destination = Address(1, 1, sender), Address(3, 0, short_code)
        # a deliver_sm has submit_sm's fields
        for body in text_bodies(text, source, destination, self._last_id & 0xFF):
            told: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
            session.deliver(body, _tell(told))
            statuses.append(await told)
        return statuses

    async def ussd(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """As Handsets.ussd; raises LookupError, too, when no bind receives."""
        return await self.handsets.ussd(asked)

    async def deliver(self, body: bytes) -> int | None:
        """Delivers to some bind; what it was answered with. Raises LookupError."""
        told: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._receiving().deliver(body, _tell(told))
        return await told

    def _receiving(self) -> Session:
        session = next((one for one in self._sessions if one.receives), None)
        if session is None:
            raise LookupError("no bind receives")
        return session

    def figures(self) -> dict[str, int]:
        """The counts so far, and what is open now."""
        owed = sum(map(len, self._owed.values()))
        return {**self.stats, "bound": len(self._sessions), "owed": owed, "held": len(self._held)}

    # judging

    def _judge(self, submit: Delivered) -> int:
        knobs = self.knobs
        self.stats["submits"] += 1
        second = int(time.monotonic())
        count = self._second[1] + 1 if self._second[0] == second else 1
        self._second = (second, count)
        if knobs.throttle_tps and count > knobs.throttle_tps:
            return THROTTLED
        suffix = knobs.refuse_suffix
        if suffix and submit.destination_addr.endswith(suffix):
            return knobs.refuse_status
        return knobs.refuse_status if _nth(self.stats["submits"], knobs.refuse_every) else 0

    def _consequences(
        self, session: Session, sequence: int, submit: Delivered
    ) -> list[Callable[[], None]]:
        """What an accepted submit causes, in order: its response and its receipts."""
        self.stats["accepted"] += 1
        accepted, knobs = self.stats["accepted"], self.knobs
        octets = submit_response(sequence, 0, self._spelt(knobs.id_form))
        silent = _nth(accepted, knobs.silent_every)
        response = [] if silent else [_later(self._answer, session, octets)]
        if not submit.registered_delivery & 1 or share(accepted, knobs.receipt_lost_pct):
            return response
        receipt = receipt_body(submit, self._spelt(knobs.receipt_id_form), knobs.receipt_state)
        copies = 2 if share(accepted, knobs.receipt_doubled_pct) else 1
        owe = [_later(self._owe, session.system_id, receipt)] * copies
        if share(accepted, knobs.receipt_early_pct):
            return owe + response
        delayed = [_later(self._delay, knobs.receipt_delay_ms, once) for once in owe]
        return response + delayed

    def _maybe_drop(self, session: Session, accepted: int) -> None:
        left = self.knobs.disconnect_after
        if left and accepted:
            self.knobs = self.knobs.set({"disconnect_after": max(0, left - accepted)})
            if accepted >= left:
                session.drop()

    def _next_id(self) -> int:
        again = self.knobs.ids_again_after
        used_up = bool(again) and self._last_id >= self._first_id + again
        return (self._first_id if used_up else self._last_id) + 1

    def _spelt(self, form: str) -> str:
        return f"{self._last_id:x}" if form == "hex" else str(self._last_id)

    # answering and owing

    def _answer(self, session: Session, octets: bytes) -> None:
        if self.knobs.hold:
            self._held.append((session, octets))
        else:
            self._delay(self.knobs.latency_ms, _later(session.write, octets))

    def _delay(self, milliseconds: int, act: Callable[[], None]) -> None:
        if milliseconds:
            asyncio.get_running_loop().call_later(milliseconds / 1000, act)
        else:
            act()

    def _owe(self, system_id: str, body: bytes) -> None:
        self._owed.setdefault(system_id, deque()).append(body)
        for session in self._sessions:
            if session.system_id == system_id:
                self.heard(session)

    def _give(self, session: Session, body: bytes) -> None:
        system_id = session.system_id

        def told(status: int | None) -> None:
            if status == pdu.ESME_ROK:
                self.stats["receipts_taken"] += 1
            elif status is None:
                self._owe(system_id, body)
            else:
                self.stats["receipts_refused"] += 1
                self._delay(int(_TRY_AGAIN_S * 1000), _later(self._owe, system_id, body))

        self.stats["receipts_sent"] += 1
        session.deliver(body, told)


def receipt_body(submit: Delivered, message_id: str, state: str) -> bytes:
    """A receipt in the form of SMPP 3.4 appendix B, with its parameters as well."""
    moment = f"{datetime.now(_EAT):%y%m%d%H%M}"
    delivered = int(state == "DELIVRD")
    text = (
        f"id:{message_id} sub:001 dlvrd:{delivered:03} submit date:{moment} done date:{moment} "
        f"stat:{state} err:{0 if delivered else 1:03} text:"
    )
    return submit_body(
        SubmitFields(
            source=Address(1, 1, submit.destination_addr),
            destination=Address(0, 0, submit.source_addr),
            short_message=text.encode("ascii"),
            esm_class=0x04,
            registered_delivery=0,
            tlvs={
                pdu.TLV_RECEIPTED_ID: message_id.encode("ascii") + b"\0",
                pdu.TLV_MESSAGE_STATE: bytes((_STATE_NUMBERS.get(state, 7),)),
            },
        )
    )


def _nth(count: int, every: int) -> bool:
    return bool(every) and count % every == 0


def _later(act: Callable[..., None], *args: object) -> Callable[[], None]:
    return lambda: act(*args)


def _tell(told: "asyncio.Future[int | None]") -> Callable[[int | None], None]:
    def tell(status: int | None) -> None:
        if not told.done():
            told.set_result(status)

    return tell
