"""Asks Beem for delivery reports, which its guide has to be asked for ("Delivery reports": GET by
MSISDN and request, from five minutes after the text; read in 2026)."""

import heapq
import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from ussdapp.channels.beem import STATUSES, message_id
from ussdapp.core.inbound import Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import Awaited, Unavailable
from ussdapp.wire import http_calls
from ussdapp.wire.fields import short
from ussdapp.wire.http import NoAnswer, NotReached
from ussdapp.wire.http_sending import CONNECTS_WITHIN

# Seconds after the text at which each is asked for, unless it was final before.
DUE: Final = (300.0, 900.0, 3600.0, 6 * 3600.0, 24 * 3600.0, 71 * 3600.0)
MOST: Final = 100_000  # that are waited for; beyond it the newest are not asked for
_TOGETHER: Final = 20  # questions in a round of the worker's
_PAUSE: Final = 30.0  # seconds after one that was not answered
_IDLE: Final = 60.0
_log = structlog.get_logger()


@dataclass(order=True, slots=True)
class Expected:
    """A report that is due at `due` for the `tries`-th time."""

    due: float
    turn: int  # between equals; nothing after it is compared
    taken_at: float = field(compare=False)
    request_id: str = field(compare=False)
    number: int = field(compare=False)
    msisdn: Msisdn = field(compare=False)
    tries: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """Who is asked, and with which keys."""

    url: str
    auth: http_calls.Auth
    answers_within: float


class AskingReports:
    """What was taken and not yet reported. `clock` gives monotonic seconds."""

    def __init__(
        self, name: str, asked: Asked, clock: Callable[[], float], *, wanted: bool
    ) -> None:
        self._name, self._asked, self._clock, self._wanted = name, asked, clock, wanted
        self._waiting: list[Expected] = []
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self._on_receipts: Callable[[list[Receipt]], Any] | None = None
        self._not_before = 0.0

    def open(self, on_receipts: Callable[[list[Receipt]], Any]) -> None:
        """Says who keeps what is reported; it may raise Unavailable."""
        self._on_receipts = on_receipts

    def expect(self, request_id: str, msisdns: Sequence[Msisdn]) -> None:
        """A request was taken, its recipients numbered from 1."""
        now = self._clock()
        with self._lock:
            for number, msisdn in enumerate(msisdns if self._wanted else (), 1):
                if len(self._waiting) < MOST:
                    one = Expected(now + DUE[0], next(self._turns), now, request_id, number, msisdn)
                    heapq.heappush(self._waiting, one)

    def expect_again(self, awaited: Awaited, age: float) -> None:
        """What an earlier process submitted so many seconds ago: asked for at once where it was
        due before."""
        request_id, _, number = awaited.message_id.rpartition(".")
        passed = sum(after <= age for after in DUE)
        if not (self._wanted and request_id and number.isdigit()) or passed == len(DUE):
            return
        now = self._clock()
        tries = max(0, passed - 1)
        due = now if passed else now - age + DUE[0]
        with self._lock:
            if len(self._waiting) < MOST:
                turn, one = next(self._turns), (request_id, int(number), awaited.msisdn)
                heapq.heappush(self._waiting, Expected(due, turn, now - age, *one, tries))

    def ask_due(self) -> float:
        """Asks for some that are due and hands over what was final; seconds until the next round.
        Does not raise."""
        due = self._due()
        while due:
            one = due.pop()
            try:
                self._settle(one, self._status_of(one))
            except (NotReached, NoAnswer, Unavailable) as trouble:
                _log.warning(
                    "reports.postponed", channel=self._name, trouble=type(trouble).__name__
                )
                self._not_before = self._clock() + _PAUSE
                self._put_back([one, *due])
                break
        with self._lock:
            next_due = self._waiting[0].due if self._waiting else self._clock() + _IDLE
        return max(0.1, min(_IDLE, max(next_due, self._not_before) - self._clock()))

    def _due(self) -> list[Expected]:
        now = self._clock()
        due: list[Expected] = []
        with self._lock:
            ready = self._on_receipts is not None and now >= self._not_before
            while ready and len(due) < _TOGETHER and self._waiting and self._waiting[0].due <= now:
                due.append(heapq.heappop(self._waiting))
        return due[::-1]

    def _status_of(self, one: Expected) -> str:
        """What they say of it; "" for nothing that can be read."""
        params = {"dest_addr": one.msisdn.digits, "request_id": one.request_id}
        asked = self._asked
        timeout = (CONNECTS_WITHIN, asked.answers_within)
        answer = http_calls.get(asked.url, params, timeout, auth=asked.auth)
        if answer.status == 429 or answer.status >= 500:
            raise NoAnswer("they answer no questions now")
        return _status(answer.body, one) if answer.status == 200 else ""

    def _settle(self, one: Expected, code: str) -> None:
        status = STATUSES.get(code, Status.IN_DOUBT)
        if status in (Status.DELIVERED, Status.UNDELIVERED):
            receipt = Receipt(
                account=self._name,
                message_id=message_id(one.request_id, str(one.number)),
                status=status,
                code=short(code),
                msisdn=one.msisdn,
            )
            assert self._on_receipts is not None
            self._on_receipts([receipt])
        elif one.tries + 1 < len(DUE):
            one.tries += 1
            one.due = one.taken_at + DUE[one.tries]
            self._put_back([one])

    def _put_back(self, some: Sequence[Expected]) -> None:
        with self._lock:
            for one in some:
                heapq.heappush(self._waiting, one)


def _status(body: bytes, one: Expected) -> str:
    """The status of that text in their list, whatever else it holds."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    entries = said if isinstance(said, list) else [said]
    mine = (entry for entry in entries if isinstance(entry, dict) and _is_of(entry, one))
    return next((str(entry.get("status", "")) for entry in mine), "")


def _is_of(entry: Mapping[str, Any], one: Expected) -> bool:
    spelt = (str(entry.get("request_id")), str(entry.get("dest_addr", "")).lstrip("+"))
    return spelt == (one.request_id, one.msisdn.digits)
