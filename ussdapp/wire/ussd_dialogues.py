"""Knows the dialogues on one bind: each key is answered by a few threads, nobody who reads waits.

A gateway's session numbers come round again, within minutes on a busy one. So a first key gets a
name of its own, and only what follows goes by the number and the MSISDN.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown
from ussdapp.ports import Deferred, Outcome, Submitted
from ussdapp.wire.bodies import Delivered
from ussdapp.wire.http import BadRequest
from ussdapp.wire.ussd_tlvs import Said, Screens, Style, read_ussd, screen_body

_ANSWERING: Final = 8  # threads that ask for a screen
# threads that wait until a screen is taken: a network that leaves some of them unanswered holds
# such a thread for as long as any submit waits
_SHOWING: Final = 64
_MOST: Final = 20_000  # dialogues remembered; the one longest silent is forgotten first
_MOST_WAITING: Final = 2_000  # keys; whoever comes later would be answered too late
_PAUSES: Final = (0.3, 1.0)  # seconds before a screen is tried again: a citizen waits for it
_log = structlog.get_logger()

_Place = tuple[str, str]  # MSISDN and session reference


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers a key, and the sentence for when that fails."""

    answer: Callable[[Keyed], Shown]
    sorry: Callable[[], str]


@dataclass(frozen=True, slots=True)
class _Dialogue:
    session_id: str
    service_code: str


class UssdDialogues:
    """Takes deliver_sm of dialogues and gives `submit` the body of each screen. What could not be
    shown is logged as such: it is never tried after `_PAUSES`, nor told as done."""

    def __init__(
        self, channel: str, style: Style, screens: Screens, submit: Callable[[bytes], Outcome]
    ) -> None:
        self._channel, self._style, self._screens = channel, style, screens
        self._submit = submit
        self._answering: Answering | None = None
        self._known: OrderedDict[_Place, _Dialogue] = OrderedDict()
        self._under_way: set[tuple[_Place, str, str]] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._answers = ThreadPoolExecutor(_ANSWERING, thread_name_prefix="ussd-answer")
        self._screens_out = ThreadPoolExecutor(_SHOWING, thread_name_prefix="ussd-screen")

    def open(self, answering: Answering) -> None:
        """Says who answers."""
        self._answering = answering

    def close(self) -> None:
        """Takes nothing more; what is being answered is finished, unless its screen waits."""
        self._closing.set()
        self._answers.shutdown(wait=False, cancel_futures=True)
        self._screens_out.shutdown(wait=False)

    def take(self, delivered: Delivered) -> None:
        """Takes one request in and returns at once."""
        try:
            said = read_ussd(delivered, self._style)
        except BadRequest as trouble:
            _log.warning("ussd.malformed", channel=self._channel, code=trouble.code)
            return
        if said.says == "over":
            self._over(said)
        elif self._begins_work(said):
            self._hand_over(said)

    def _over(self, said: Said) -> None:
        with self._lock:
            self._known.pop(_place(said), None)
        _log.info("ussd.ended", channel=self._channel)

    def _begins_work(self, said: Said) -> bool:
        """False for a repeat: a handset cannot key the same again before it is shown a screen."""
        with self._lock:
            code = None
            if self._answering is None:
                code = "nobody_answers"
            elif _work(said) in self._under_way:
                code = "repeated"
            elif len(self._under_way) >= _MOST_WAITING or self._closing.is_set():
                code = "too_many"
            else:
                self._under_way.add(_work(said))
        if code:
            _log.warning("ussd.not_taken", channel=self._channel, code=code)
        return code is None

    def _hand_over(self, said: Said) -> None:
        dialogue = self._dialogue(said)
        said = replace(said, service_code=dialogue.service_code)
        answering = self._answers.submit(self._answer, said, dialogue)
        answering.add_done_callback(partial(self._answered, said))

    def _dialogue(self, said: Said) -> _Dialogue:
        with self._lock:
            dialogue = self._known.pop(_place(said), None)
            if dialogue is None or said.says == "first":
                name = f"{said.reference}.{secrets.token_hex(8)}"
                dialogue = _Dialogue(name, said.service_code)
            self._known[_place(said)] = dialogue
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return dialogue

    def _answer(self, said: Said, dialogue: _Dialogue) -> Shown:
        assert self._answering is not None
        keyed = Keyed(
            channel=self._channel,
            session_id=dialogue.session_id,
            msisdn=said.msisdn,
            service_code=said.service_code,
            text=said.text,
            cumulative=self._style.cumulative,
        )
        return self._answering.answer(keyed)

    def _answered(self, said: Said, answering: "Future[Shown]") -> None:
        if answering.cancelled() or self._closing.is_set():
            _log.warning("ussd.not_shown", channel=self._channel, code="closing")
            return
        if trouble := answering.exception():
            _log.error("ussd.broken", channel=self._channel, error=type(trouble).__name__)
            assert self._answering is not None
            shown = Shown(self._answering.sorry(), ends=True)
        else:
            shown = answering.result()
        self._screens_out.submit(self._show, said, shown)

    def _show(self, said: Said, shown: Shown) -> None:
        body, was_cut = screen_body(said, self._style, self._screens, shown)
        if was_cut:
            _log.warning("ussd.screen_cut", channel=self._channel)
        try:
            outcome = self._written(said, body)
        finally:
            with self._lock:
                self._under_way.discard(_work(said))
        if not isinstance(outcome, Submitted):
            code = "ended" if outcome is None else outcome.code
            _log.warning("ussd.not_shown", channel=self._channel, code=code)

    def _written(self, said: Said, body: bytes) -> Outcome | None:
        """What became of a screen; None where its dialogue was over before."""
        for pause in (*_PAUSES, None):
            with self._lock:
                if _place(said) not in self._known:
                    return None
            outcome = self._submit(body)
            if pause is None or not isinstance(outcome, Deferred) or self._closing.wait(pause):
                return outcome
        return None


def _place(said: Said) -> _Place:
    return said.msisdn.digits, said.reference


def _work(said: Said) -> tuple[_Place, str, str]:
    return _place(said), said.says, said.text
