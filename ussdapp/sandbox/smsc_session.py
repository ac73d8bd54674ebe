"""Knows one connection to the simulated SMSC: its bind, its submits, and what it is owed."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from ussdapp.wire import pdu
from ussdapp.wire.bodies import Delivered, read_delivered
from ussdapp.wire.pdu import Pdu

_CAP: Final = 70 * 1024
_BINDS: Final = {
    pdu.BIND_RECEIVER: (True, False),
    pdu.BIND_TRANSMITTER: (False, True),
    pdu.BIND_TRANSCEIVER: (True, True),
}
_SUBMIT_RESP: Final = pdu.SUBMIT_SM | pdu.RESPONSE
_DELIVER_RESP: Final = pdu.DELIVER_SM | pdu.RESPONSE
_ALREADY_BOUND: Final = 0x05
_MOST_UNANSWERED: Final = 500  # deliver_sm under way on one session

Told = Callable[[int | None], None]  # gets the status of the answer, None when the link died


class Exchange(Protocol):
    """What a session needs of the SMSC it belongs to."""

    def admit(self, system_id: str, password: str) -> int:
        """The status a bind is answered with."""
        ...

    def take(self, session: "Session", submits: list[tuple[int, Delivered]]) -> None:
        """Judges, records and answers submits."""
        ...

    def bound(self, session: "Session") -> None: ...

    def gone(self, session: "Session") -> None: ...

    def heard(self, session: "Session") -> None:
        """The session may take more."""
        ...


class Session(asyncio.Protocol):
    """One connection; nonsense ends it with a generic_nack."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._transport: asyncio.Transport
        self._rest = b""
        self._sequence = 0
        self._untold: dict[int, Told] = {}
        self._outgoing: list[bytes] = []
        self.system_id = ""
        self.receives = self.submits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self.receives = self.submits = False
        self._exchange.gone(self)
        untold, self._untold = self._untold, {}
        for told in untold.values():
            told(None)

    def data_received(self, data: bytes) -> None:
        pdus, self._rest, broken = pdu.cut(self._rest + data, _CAP)
        try:
            self._dispatch(pdus)
        except pdu.Malformed:
            broken = 0
        if broken is not None:
            self.write(pdu.encode(pdu.GENERIC_NACK, pdu.ESME_RINVCMDLEN, broken))
            self._leave()

    @property
    def room(self) -> bool:
        """Whether another deliver_sm may go out."""
        return self.receives and len(self._untold) < _MOST_UNANSWERED

    def deliver(self, body: bytes, told: Told) -> None:
        """Sends a deliver_sm; `told` gets what it was answered."""
        self._sequence = self._sequence % pdu.LAST_SEQUENCE + 1
        self._untold[self._sequence] = told
        self.write(pdu.encode(pdu.DELIVER_SM, 0, self._sequence, body))

    def write(self, octets: bytes) -> None:
        """Writes them with whatever else this turn of the loop has to say."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(octets)

    def listen(self, *, deaf: bool) -> None:
        """Stops or resumes reading."""
        if self._transport.is_closing():
            return
        if deaf:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def drop(self) -> None:
        """Ends the connection as a crash would: what the kernel has not taken is lost."""
        self._flush()
        self._transport.abort()

    def _flush(self) -> None:
        octets, self._outgoing = b"".join(self._outgoing), []
        if not self._transport.is_closing():
            self._transport.write(octets)

    def _leave(self) -> None:
        self._flush()
        self._transport.close()

    def _dispatch(self, pdus: list[Pdu]) -> None:
        submits: list[tuple[int, Delivered]] = []
        for one in pdus:
            if one.command == pdu.SUBMIT_SM and self.submits:
                submits.append((one.sequence, read_delivered(one.body)))
            elif one.command == _DELIVER_RESP:
                self._answered(one)
            else:
                self._other(one)
        if submits:
            self._exchange.take(self, submits)

    def _answered(self, one: Pdu) -> None:
        told = self._untold.pop(one.sequence, None)
        if told is not None:
            told(one.status)
        self._exchange.heard(self)

    def _other(self, one: Pdu) -> None:
        match one.command:
            case command if command in _BINDS:
                self._bind(one)
            case pdu.SUBMIT_SM:
                self._reply(one, pdu.ESME_RINVBNDSTS)
            case pdu.ENQUIRE_LINK:
                self._reply(one, pdu.ESME_ROK)
            case pdu.UNBIND:
                self._reply(one, pdu.ESME_ROK)
                self._leave()
            case command if not command & pdu.RESPONSE:
                self.write(pdu.encode(pdu.GENERIC_NACK, pdu.ESME_RINVCMDID, one.sequence))

    def _bind(self, one: Pdu) -> None:
        system_id, at = pdu.c_string(one.body, 0, 16)
        password, _ = pdu.c_string(one.body, at, 9)
        name = system_id.decode("latin-1")
        status = self._exchange.admit(name, password.decode("latin-1"))
        status = _ALREADY_BOUND if self.system_id else status
        self._reply(one, status, b"" if status else b"ussdapp-sandbox\0")
        if not status:
            self.system_id = name
            self.receives, self.submits = _BINDS[one.command]
            self._exchange.bound(self)

    def _reply(self, one: Pdu, status: int, body: bytes = b"") -> None:
        self.write(pdu.encode(one.command | pdu.RESPONSE, status, one.sequence, body))


def submit_response(sequence: int, status: int, message_id: str) -> bytes:
    """A submit_sm_resp; a refusal has no body (SMPP 3.4, 4.4.2)."""
    body = b"" if status else message_id.encode("ascii") + b"\0"
    return pdu.encode(_SUBMIT_RESP, status, sequence, body)
