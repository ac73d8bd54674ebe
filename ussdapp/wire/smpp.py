"""Knows an SMPP 3.4 bind, as ESME: submits by the window, answers only what was kept.

SMPP Protocol Specification v3.4, issue 1.2 (October 1999). One thread reads and keeps the bind
alive, one gives what was delivered to its keeper; callers submit from their own thread.
"""

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from ussdapp.wire import pdu
from ussdapp.wire.bodies import Delivered, Login, bind_body, read_data, read_delivered
from ussdapp.wire.keeper import Arrived, Keep, Keeper
from ussdapp.wire.late import Late
from ussdapp.wire.link import Frame, Link
from ussdapp.wire.pace import Pace
from ussdapp.wire.pdu import Pdu
from ussdapp.wire.pulse import Limits, Pulse
from ussdapp.wire.window import (
    Answer,
    Answered,
    Nacked,
    Sequences,
    Unwritten,
    Window,
    submits,
)

BINDS: Final = {
    "transceiver": pdu.BIND_TRANSCEIVER,
    "transmitter": pdu.BIND_TRANSMITTER,
    "receiver": pdu.BIND_RECEIVER,
}
_SUBMIT_RESP: Final = pdu.SUBMIT_SM | pdu.RESPONSE
_UNBIND_RESP: Final = pdu.UNBIND | pdu.RESPONSE
_GLANCE: Final = 0.05  # seconds between looks at a bind that is being left
OnLate = Callable[[object, Answer], None]
_log = structlog.get_logger()


class BindRefused(Exception):
    """The SMSC answered the bind with another status than ESME_ROK."""

    def __init__(self, command_status: int) -> None:
        super().__init__(f"the bind was refused with status {command_status:#x}")
        self.command_status = command_status


class Bind:
    """One bind, from `connect` to its end; a new one is made to bind again.

    `keep` gets what was delivered, in a thread of the bind, and tells whether it was kept; only
    then is it answered: kept with ESME_ROK, not kept (or raised) with ESME_RX_T_APPN. `on_late`
    gets the tag and the answer of a submit that nobody waits for any longer; it runs in the reader
    and must not wait. `counts` says what was odd: stray answers, malformed PDUs, lost connections.
    """

    def __init__(
        self,
        login: Login,
        limits: Limits,
        keep: Keep,
        tls: ssl.SSLContext | None = None,
        first_sequence: int = 1,
        on_late: OnLate | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._login, self._limits, self._tls = login, limits, tls
        self._sequences = Sequences(first_sequence)
        self._on_late, self._late = on_late, Late()
        self._keeper = Keeper(keep, self._write, limits.backlog)
        self._reader = threading.Thread(target=self._read_on, name="smpp-reader", daemon=True)
        self._over = threading.Event()
        self._submits = self._peer_left = False
        self._deadline: float | None = None  # when a bind that is being left is dropped
        self._link: Link
        self._pulse: Pulse
        self._rest = b""

    @property
    def alive(self) -> bool:
        """Whether a submit has a chance."""
        return self._submits

    def connect(self) -> None:
        """Connects and binds; raises BindRefused, or OSError when there is no SMPP to talk to."""
        link = self._link = Link(self._connection())
        try:
            self._log_in(link)
        except (OSError, BindRefused):
            link.close()
            raise
        self._pulse = Pulse(self._limits, time.monotonic())
        self._submits = True
        self._reader.start()

    def submit(
        self,
        bodies: Sequence[bytes],
        pace: Pace | None = None,
        tags: Sequence[object] | None = None,
    ) -> list[Answer]:
        """Writes one submit_sm a body, all together or as the pace allows, and waits until all
        are answered, the time for responses is over or the bind is. One answer a body, in order;
        with `tags`, one a body, an answer that comes within the next ten minutes is `on_late`'s."""
        if not bodies or not self._submits:
            return [Unwritten()] * len(bodies)
        window = self._sequences.open(len(bodies))
        slices = self._write_paced(window, bodies, pace)
        if self._over.is_set():
            window.done.set()
        window.done.wait(self._limits.response_s)
        if not window.left:
            return window.settled(0, len(bodies), range(1, len(bodies) + 1))
        if tags is not None:
            # before they stop waiting, or an answer in between would be nobody's
            self._late.expect(zip(window.sequences, tags, strict=True), time.monotonic())
        self._late.only(window.sequences, self._sequences.close(window))
        answers: list[Answer] = []
        for frame, ends in slices:
            answers += window.settled(len(answers), self._link.withdraw(frame, ends), ends)
        return answers + [Unwritten()] * (len(bodies) - len(answers))

    def _write_paced(
        self, window: Window, bodies: Sequence[bytes], pace: Pace | None
    ) -> list[tuple[Frame, list[int]]]:
        step = len(bodies) if pace is None else pace.step
        slices: list[tuple[Frame, list[int]]] = []
        for start in range(0, len(bodies), step):
            some = bodies[start : start + step]
            if pace is not None and (self._over.wait(pace.wait(len(some))) or not self._submits):
                break
            octets, ends = submits(some, window.sequences[start : start + step])
            slices.append((self._link.put(octets), ends))
        return slices

    def close(self) -> None:
        """Takes no more submits, lets those under way and what is being kept finish within
        `drain_s`, unbinds and drops the connection. A second call does nothing."""
        self._submits = False
        if not self._reader.is_alive():
            return
        until = time.monotonic() + self._limits.drain_s
        while self._busy() and time.monotonic() < until and not self._over.wait(_GLANCE):
            pass
        self._put(pdu.UNBIND, 0, self._sequences.take(1)[0])
        self._deadline = time.monotonic() + self._limits.drain_s
        self._link.wake()
        self._reader.join(self._limits.drain_s + 1)

    # logging in

    def _connection(self) -> socket.socket:
        where = (self._login.host, self._login.port)
        connection = socket.create_connection(where, self._limits.connect_s)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                return self._tls.wrap_socket(connection, server_hostname=self._login.host)
        except OSError:
            connection.close()
            raise
        return connection

    def _log_in(self, link: Link) -> None:
        sequence = self._sequences.take(1)[0]
        command = BINDS[self._login.bind_type]
        self._put(command, 0, sequence, bind_body(self._login))
        until = time.monotonic() + self._limits.connect_s
        while not self._welcomed(link, command | pdu.RESPONSE, sequence):
            if time.monotonic() > until:
                raise TimeoutError("no answer to the bind")
            link.wait(until - time.monotonic())

    def _welcomed(self, link: Link, response: int, sequence: int) -> bool:
        link.flush()
        first, self._rest, broken = pdu.behead(self._rest + link.read(), self._limits.pdu_octets)
        if broken is not None:
            raise ConnectionAbortedError("what answered the bind speaks no SMPP")
        if first is None:
            return False
        if (first.command, first.status, first.sequence) != (response, 0, sequence):
            raise BindRefused(first.status)
        return True

    # reading

    def _read_on(self) -> None:
        link = self._link
        try:
            self._take(b"")  # what came along with the answer to the bind
            while self._goes_on(time.monotonic()):
                if link.wait(self._patience(time.monotonic())):
                    self._take(link.read())
                link.flush()
        except OSError as error:
            self.counts["lost"] += 1
            _log.info("smpp.lost", host=self._login.host, error=type(error).__name__)
        except pdu.Malformed:
            self.counts["malformed"] += 1
            _log.warning("smpp.malformed", host=self._login.host)
        finally:
            self._end(link)

    def _end(self, link: Link) -> None:
        self._submits = False
        with suppress(OSError):
            link.flush()
        link.close()
        self._over.set()
        self._sequences.abandon()
        self._keeper.close()

    def _take(self, data: bytes) -> None:
        pdus, self._rest, broken = pdu.cut(self._rest + data, self._limits.pdu_octets)
        self._pulse.heard(time.monotonic(), len(pdus), len(self._rest))
        self._dispatch(pdus)
        if broken is not None:
            self._put(pdu.GENERIC_NACK, pdu.ESME_RINVCMDLEN, broken)
            raise pdu.Malformed("a PDU's length cannot be true")

    def _dispatch(self, pdus: list[Pdu]) -> None:
        arrived: list[Arrived] = []
        answer = self._sequences.answer
        for one in pdus:
            command, status, sequence, body = one
            if command == _SUBMIT_RESP:
                message_id = body.partition(b"\0")[0].decode("latin-1")
                answered = Answered(status, message_id)
                if not answer(sequence, answered):
                    self._stray(sequence, answered)
            elif command in (pdu.DELIVER_SM, pdu.DATA_SM):
                arrived.append((command, sequence, self._delivered(one)))
            else:
                self._other(one)
        if arrived:
            self._keeper.accept(arrived)

    def _delivered(self, one: Pdu) -> Delivered:
        try:
            return read_data(one.body) if one.command == pdu.DATA_SM else read_delivered(one.body)
        except pdu.Malformed:
            self._put(pdu.GENERIC_NACK, pdu.ESME_RINVMSGLEN, one.sequence)
            raise

    def _other(self, one: Pdu) -> None:
        if one.command == pdu.ENQUIRE_LINK:
            self._put(pdu.ENQUIRE_LINK | pdu.RESPONSE, 0, one.sequence)
        elif one.command == pdu.GENERIC_NACK:
            self._nacked(one)
        elif one.command == pdu.UNBIND:
            self._put(_UNBIND_RESP, 0, one.sequence)
            self._submits, self._peer_left = False, True
            self._deadline = time.monotonic() + self._limits.response_s
        elif one.command == _UNBIND_RESP and self._deadline is not None:
            self._deadline = time.monotonic()
        elif not one.command & pdu.RESPONSE:
            self._put(pdu.GENERIC_NACK, pdu.ESME_RINVCMDID, one.sequence)

    def _nacked(self, one: Pdu) -> None:
        if one.sequence == 0:
            raise pdu.Malformed("the SMSC lost our stream")  # no telling which PDU it means
        nacked = Nacked(one.status)
        if not self._sequences.answer(one.sequence, nacked):
            self._stray(one.sequence, nacked)

    def _stray(self, sequence: int, answer: Answer) -> None:
        """An answer nobody waits for: late, repeated, or never ours."""
        tag = self._late.take(sequence, time.monotonic())
        if tag is None or self._on_late is None:
            self.counts["stray"] += 1
        else:
            self.counts["late"] += 1
            self._on_late(tag, answer)

    # going on

    def _goes_on(self, now: float) -> bool:
        if self._deadline is not None:
            done = self._peer_left and not self._busy()
            return now < self._deadline and not done
        if self._pulse.asks(now):
            self._put(pdu.ENQUIRE_LINK, 0, self._sequences.take(1)[0])
        return True

    def _patience(self, now: float) -> float:
        return _GLANCE if self._deadline is not None else self._pulse.patience(now)

    def _busy(self) -> bool:
        return bool(len(self._sequences)) or self._keeper.busy

    def _put(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self._write(pdu.encode(command, status, sequence, body))

    def _write(self, octets: bytes) -> None:
        self._link.put(octets)
