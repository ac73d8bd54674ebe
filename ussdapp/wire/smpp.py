"""Knows an SMPP 3.4 bind, as ESME: submits by the window, answers only what was kept.

SMPP Protocol Specification v3.4, issue 1.2 (October 1999). One thread reads and keeps the bind
alive, one gives what was delivered to its keeper; callers submit from their own thread.
"""

import math
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from ussdapp.wire import pdu
from ussdapp.wire.bodies import Login
from ussdapp.wire.keeper import Keep, Keeper, Quick
from ussdapp.wire.link import Link
from ussdapp.wire.logging_in import BindRefused, logged_in
from ussdapp.wire.pace import Haste, Pace
from ussdapp.wire.pdu import Pdu
from ussdapp.wire.pulse import Limits, Pulse
from ussdapp.wire.responses import OnLate, Responses
from ussdapp.wire.smpp_reading import Reading
from ussdapp.wire.window import UNWRITTEN, Answer, Call, Run, UnderWay

__all__ = ["Bind", "BindRefused", "Extras"]
_UNBIND_RESP: Final = pdu.UNBIND | pdu.RESPONSE
_TOGETHER: Final = 128  # submits in one frame, about 16 KiB: what goes ahead of it waits so long
_AGAIN_S: Final = 0.5  # between looks whether what is unanswered was overtaken
_GLANCE: Final = 0.05  # seconds between looks at a bind that is being left
Tag = Callable[[int], object]  # of the submit at that place
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Extras:
    """What a channel adds to its binds. `on_late` gets the tag and the answer of a submit that
    nobody waits for any longer; it runs in the reader and must not wait. The receipts
    that `quick` reads are kept instead of the deliver_sm they came in."""

    on_late: OnLate | None = None
    quick: Quick | None = None
    pace: Pace | None = None


class Bind:
    """One bind, from `connect` to its end; a new one is made to bind again.

    `keep` gets what was delivered, in a thread of the bind, and tells whether it was kept; only
    then is it answered: kept with ESME_ROK, not kept (or raised) with ESME_RX_T_APPN. `counts`
    says what was odd: stray answers, malformed PDUs, lost connections.
    """

    def __init__(
        self,
        login: Login,
        limits: Limits,
        keep: Keep,
        tls: ssl.SSLContext | None = None,
        first_sequence: int = 1,
        extras: Extras | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._login, self._limits, self._tls = login, limits, tls
        self._under_way = UnderWay(first_sequence, limits.window)
        extras = extras or Extras()
        self._pace = extras.pace or Pace(0, time.monotonic)
        responses = Responses(self._under_way, self._pace, extras.on_late, self.counts)
        self._reading = Reading(responses, extras.quick, limits.pdu_octets, self._see_to, self._put)
        self._keeper = Keeper(keep, self._write, limits.backlog)
        self._reader = threading.Thread(target=self._read_on, name="smpp-reader", daemon=True)
        self._over = threading.Event()
        self._submits = self._peer_left = False
        self._deadline: float | None = None  # when a bind that is being left is dropped
        self._link: Link
        self._pulse: Pulse
        self._came_along = b""  # with the answer to the bind

    @property
    def alive(self) -> bool:
        """Whether a submit has a chance."""
        return self._submits

    def connect(self) -> None:
        """Connects and binds; raises BindRefused, or OSError when there is no SMPP to talk to."""
        self._link, self._came_along = logged_in(
            self._login, self._limits, self._tls, self._under_way.take()
        )
        self._pulse = Pulse(self._limits, time.monotonic())
        self._submits = True
        self._reader.start()

    def submit(
        self, bodies: Sequence[bytes], haste: Haste = "bulk", tag: Tag | None = None
    ) -> list[Answer]:
        """Writes one submit_sm a body, as the pace and the window of the bind allow, and waits
        until all are answered, the time for responses is over or the bind is, or the SMSC has long
        answered what left later. One answer a body, in order. What comes within ten minutes after
        is told to `on_late` with the `tag` of the submit's place. Any number of threads may; what
        is no bulk is written before bulks."""
        call = Call(tag)
        if self._submits:
            self._write_all(call, bodies, haste)
            until = time.monotonic() + self._limits.response_s
            self._await(call, until)
            self._under_way.close(call, until)
        answers: list[Answer] = []
        for run in call.runs:
            answers += run.settled(self._link.withdraw)
        call.runs.clear()  # they name their call: what a window held goes now, not with a search
        return answers + [UNWRITTEN] * (len(bodies) - len(answers))

    def _write_all(self, call: Call, bodies: Sequence[bytes], haste: Haste) -> None:
        at = 0
        while at < len(bodies) and self._submits:
            most = min(_TOGETHER, len(bodies) - at, self._pace.step)
            count = self._under_way.reserve(most, haste, self._limits.response_s)
            if not count:
                break
            if not self._pace.turn(count, haste, self._over) or not self._submits:
                self._under_way.release(count)
                break
            run = self._under_way.open(call, count, at)
            self._under_way.release(count - run.count)
            self._write_run(run, bodies[at : at + run.count], haste)
            at += run.count
        self._under_way.written(call)

    def _await(self, call: Call, until: float) -> None:
        """Not for what others overtook long ago: an answer that is lost would keep its lane from
        all that it could submit meanwhile (faults.md rows 36 and 62)."""
        since = math.inf
        while (now := time.monotonic()) < until and now - since < self._limits.overtaken_s:
            if call.done.wait(min(_AGAIN_S, until - now)):
                return
            since = min(since, now) if self._under_way.overtaken(call) else math.inf

    def _write_run(self, run: Run, bodies: Sequence[bytes], haste: Haste) -> None:
        pack, sequence = pdu.HEADER.pack, run.first
        pdus = run.pdus = [
            pack(16 + len(body), pdu.SUBMIT_SM, 0, number) + body
            for number, body in enumerate(bodies, sequence)
        ]
        run.frame = self._link.put(b"".join(pdus), behind=haste == "bulk")

    def close(self) -> None:
        """Takes no more submits, lets those under way and what is being kept finish within
        `drain_s`, unbinds and drops the connection. A second call does nothing."""
        self._submits = False
        if not self._reader.is_alive():
            return
        until = time.monotonic() + self._limits.drain_s
        while self._busy() and time.monotonic() < until and not self._over.wait(_GLANCE):
            pass
        self._put(pdu.UNBIND, 0, self._under_way.take())
        self._deadline = time.monotonic() + self._limits.drain_s
        self._link.wake()
        self._reader.join(self._limits.drain_s + 1)

    # reading

    def _read_on(self) -> None:
        link = self._link
        try:
            self._take(self._came_along)
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
        self._under_way.abandon()
        self._keeper.close()

    def _take(self, data: bytes) -> None:
        came = self._reading.take(data)
        self._pulse.heard(time.monotonic(), came.whole, came.rest)
        if came.arrived:
            self._keeper.accept(came.arrived)
        if came.broken is not None:
            self._put(pdu.GENERIC_NACK, pdu.ESME_RINVCMDLEN, came.broken)
            raise pdu.Malformed("a PDU's length cannot be true")

    def _see_to(self, one: Pdu) -> None:
        if one.command == pdu.ENQUIRE_LINK:
            self._put(pdu.ENQUIRE_LINK | pdu.RESPONSE, 0, one.sequence)
        elif one.command == pdu.UNBIND:
            self._put(_UNBIND_RESP, 0, one.sequence)
            self._submits, self._peer_left = False, True
            self._deadline = time.monotonic() + self._limits.response_s
        elif one.command == _UNBIND_RESP and self._deadline is not None:
            self._deadline = time.monotonic()
        elif not one.command & pdu.RESPONSE:
            self._put(pdu.GENERIC_NACK, pdu.ESME_RINVCMDID, one.sequence)

    # going on

    def _goes_on(self, now: float) -> bool:
        if self._deadline is not None:
            done = self._peer_left and not self._busy()
            return now < self._deadline and not done
        if self._pulse.asks(now):
            self._put(pdu.ENQUIRE_LINK, 0, self._under_way.take())
        return True

    def _patience(self, now: float) -> float:
        return _GLANCE if self._deadline is not None else self._pulse.patience(now)

    def _busy(self) -> bool:
        return bool(len(self._under_way)) or self._keeper.busy

    def _put(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self._write(pdu.encode(command, status, sequence, body))

    def _write(self, octets: bytes) -> None:
        self._link.put(octets)
