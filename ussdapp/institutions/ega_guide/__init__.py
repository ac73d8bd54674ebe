"""eGA, mGov USSD integration guide v2.1.0 (2026): external applications, look-ups, summary posts.

External application: first `msisdn sessionid lang=SW|EN`, then `msisdn sessionid input` with the
latest input alone; the answer is `{header_type, text, options}`, "2" expects input, "3" ends, "4"
hands back with `data`. Look-up: `{"data": value}`, answered `{"success", "detail_01", ...}` or with
free names. Summary: the answers and `msisdn`, answered `{"status", "sms_reply", "sms_text"}`.

The guide says GET in its examples and POST in its prose, so either may be configured. How our calls
are signed is in `calls`, how the answers are read in `answers`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from ussdapp.core.back_office import Asker, HandedIn, LookedUp, Mode, Relayed
from ussdapp.institutions.ega_guide import answers
from ussdapp.institutions.ega_guide.calls import Desk, signed
from ussdapp.ports import OfficeGarbled, OfficeLate, OfficeUnavailable
from ussdapp.wire.breaker import Breaker, Bulkhead, Pass, Shut
from ussdapp.wire.guarded import Forbidden, GuardedClient, NoAnswer, NotReached, TooSlow
from ussdapp.wire.http import WireAnswer

log = structlog.get_logger()
T = TypeVar("T")

MOST_AT_ONCE: Final = 4  # calls under way to one institution from one process
MOST_IN_ALL: Final = 12  # and to all of them: the rest of the threads is for everybody else
PATIENCE: Final = 0.1  # seconds that one more waits for a place, of its deadline
DEADLINE: Final = 5.0  # seconds
_SECRET: Final = 16  # characters that a secret has at least


@dataclass(frozen=True, slots=True)
class Office:
    """One back office as configured; `deadline` in seconds. Its bulkhead and its breaker are those
    of its institution, the name's first part."""

    name: str
    desk: Desk
    deadline: float
    bulkhead: Bulkhead = field(default_factory=lambda: Bulkhead(MOST_AT_ONCE, PATIENCE))
    breaker: Breaker = field(default_factory=Breaker)


class EgaGuide:
    """Keeps ports.BackOffices. `clock` is monotonic, `today` tells the time of a call."""

    def __init__(
        self,
        offices: Mapping[str, Office],
        client: GuardedClient,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        most_in_all: int = MOST_IN_ALL,
    ) -> None:
        self._offices = offices
        self._client = client
        self._clock = clock
        self._today = today
        self._all = Bulkhead(most_in_all, PATIENCE)

    def look_up(self, office: str, data: str, asker: Asker) -> LookedUp:
        """What the office knows of one value."""
        return self._asked(office, Mode.LOOKUP, {"data": data}, asker, answers.looked_up)

    def hand_in(self, office: str, given: Mapping[str, str], asker: Asker) -> HandedIn:
        """Posts what was answered, with the MSISDN."""
        summary = {**given, "msisdn": asker.msisdn.digits}
        return self._asked(office, Mode.SUMMARY, summary, asker, answers.handed_in)

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        """Gives an external application the latest key, None for the first hit."""
        told = {"msisdn": asker.msisdn.digits, "sessionid": asker.session_id}
        told |= {"lang": asker.language.upper()} if keyed is None else {"input": keyed}
        return self._asked(office, Mode.EXTERNAL, told, asker, answers.relayed)

    def hand_over(self, office: Office, told: Mapping[str, str], asker: Asker) -> str | None:
        """Posts a citizen's text; the answer, None where none is to be sent."""
        posted = {**told, "msisdn": asker.msisdn.digits, "transaction_id": asker.effect}
        read = partial(answers.handed_over, transaction_id=asker.effect)
        return self._asked_of(office, posted, asker, read)

    def _asked(
        self,
        name: str,
        mode: Mode,
        told: Mapping[str, str],
        asker: Asker,
        read: Callable[[bytes], T],
    ) -> T:
        return self._asked_of(self._office(name, mode), told, asker, read)

    def _asked_of(
        self,
        office: Office,
        told: Mapping[str, str],
        asker: Asker,
        read: Callable[[bytes], T],
    ) -> T:
        came = self._clock()
        given, heard = self._entered(office), False
        try:
            left = office.deadline - (self._clock() - came)
            result = read(_body(self._exchanged(office, told, asker, left)))
            heard = True
        except (OfficeLate, OfficeUnavailable) as trouble:
            log.warning("office.unheard", office=office.name, trouble=type(trouble).__name__)
            raise
        finally:
            self._left(office, given, heard=heard)
        return result

    def _left(self, office: Office, given: Pass, *, heard: bool) -> None:
        office.bulkhead.leave()
        self._all.leave()
        if heard:
            office.breaker.succeeded(given)
        else:
            office.breaker.failed(given, self._clock())

    def _office(self, name: str, mode: Mode) -> Office:
        office = self._offices.get(name)
        if office is None or office.desk.mode is not mode:
            log.error("office.unknown", office=name, mode=mode.value)
            raise OfficeUnavailable("no such office is configured")
        return office

    def _entered(self, office: Office) -> Pass:
        entered: list[Bulkhead] = []
        try:
            # who waits for one office takes no place from the others
            for bulkhead in (office.bulkhead, self._all):
                bulkhead.enter()
                entered.append(bulkhead)
            return office.breaker.enter(self._clock())
        except Shut as shut:
            for bulkhead in entered:
                bulkhead.leave()
            raise OfficeUnavailable(str(shut)) from None

    def _exchanged(
        self, office: Office, told: Mapping[str, str], asker: Asker, deadline: float
    ) -> WireAnswer:
        call = signed(office.desk, told, asker, self._today())
        try:
            return self._client.exchange(call, deadline)
        except TooSlow:
            raise OfficeLate(office.name) from None
        except NoAnswer as trouble:
            raise OfficeGarbled(str(trouble)) from None
        except (NotReached, Forbidden) as trouble:
            raise OfficeUnavailable(str(trouble)) from None


def _body(answer: WireAnswer) -> bytes:
    if 200 <= answer.status < 300:
        return answer.body
    if answer.status >= 500:  # it broke, before or after it took a summary
        raise OfficeGarbled(f"answered with HTTP {answer.status}")
    raise OfficeUnavailable(f"answered with HTTP {answer.status}")


def build(
    tables: Mapping[str, Mapping[str, Any]],
    client: GuardedClient,
    *,
    patience: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    most_in_all: int = MOST_IN_ALL,
) -> EgaGuide:
    """The offices of the settings' `back_offices`; `patience` is a deadline, in seconds, that
    replaces theirs. Raises ValueError with one sentence a line."""
    troubles: list[str] = []
    offices: dict[str, Office] = {}
    for name, given in tables.items():
        try:
            offices[name] = _configured(name, given, client, patience)
        except (ValueError, TypeError) as trouble:
            troubles.append(f"back_offices.{name}: {trouble}")
    if troubles:
        raise ValueError("\n".join(troubles))
    offices = _by_institution(offices)
    return EgaGuide(offices, client, clock, most_in_all=most_in_all)


def _by_institution(offices: Mapping[str, Office]) -> dict[str, Office]:
    """The same, those of one institution behind one bulkhead and one breaker: one that hangs
    with several offices takes no more places."""
    first: dict[str, Office] = {}
    for name, office in offices.items():
        first.setdefault(name.partition(".")[0], office)
    shared = ((name, office, first[name.partition(".")[0]]) for name, office in offices.items())
    return {
        name: replace(office, bulkhead=one.bulkhead, breaker=one.breaker)
        for name, office, one in shared
    }


def _configured(
    name: str, given: Mapping[str, Any], client: GuardedClient, patience: float | None
) -> Office:
    mode = Mode(given.get("kind"))
    if mode is Mode.KEYWORD:
        raise ValueError("a keyword's address is asked for with `ussdapp codes request`")
    method = str(given.get("method", "GET" if mode is Mode.EXTERNAL else "POST")).upper()
    if method not in ("GET", "POST"):
        raise ValueError("method is GET or POST")
    url, secret = str(given.get("url", "")), str(given.get("secret", ""))
    client.parsed(url)
    if len(secret) < _SECRET:
        raise ValueError(f"secret needs at least {_SECRET} characters")
    deadline = float(given.get("deadline", DEADLINE))
    if not 0 < deadline <= 30:
        raise ValueError("deadline is in seconds, at most 30")
    return Office(name, Desk(url, mode, method, secret.encode()), patience or deadline)
