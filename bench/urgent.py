"""One urgent notification at a time while a bulk runs: from the call that accepts it to its arrival
at the SMSC."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from redis import Redis

from bench import rows
from bench.bulk import Plan, start, until
from bench.sender import LIMIT, PREFIX, Sender
from bench.smsc import Figures, Smsc
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import LIVES, Class, Notification
from ussdapp.core.parts import Encoding
from ussdapp.stores.database import Database
from ussdapp.stores.doorbells import RqDoorbells
from ussdapp.stores.notifications import PgNotifications
from ussdapp.stores.seal import Seal

EVERY_S: Final = 0.05  # on average
TEXT: Final = "Tahadhari: mvua kubwa inatarajiwa leo jioni."
_WARM_S: Final = 1.0  # the bulk runs before the first
_LANES: Final = 8
_LEDGER_S: Final = 0.2  # between looks at the ledger
Call = Callable[[str], None]


@dataclass(frozen=True)
class Waited:
    """Milliseconds of each, sorted; how many never arrived; how they were accepted; and what the
    SMSC took meanwhile a second, and refused in all."""

    times: list[float]
    missing: int
    intake: str
    beside: float
    throttled: float

    def quantile(self, share: float) -> float:
        """Milliseconds within which that share arrived."""
        return self.times[min(int(len(self.times) * share), len(self.times) - 1)]


def urgent(sender: Sender, smsc: Smsc, channel: str, backlog: int, seconds: float) -> Waited:
    """While so many rows of bulk are delivered by two workers (one, where TPS is limited)."""
    rows.clear(sender.database)
    rows.load(sender.database, channel, backlog)
    limited = PREFIX[channel] != PREFIX["bench"]
    plan = Plan(backlog, 1 if limited else 2)
    call, intake = _intake(sender, channel)
    with sender.workers(channel, plan.workers):
        start(smsc, plan)
        smsc.tell("limit", LIMIT if limited else 0)
        smsc.tell("watch", PREFIX[channel])
        smsc.tell("gate", 0)
        smsc.until(lambda seen: seen.taken > 0, 30)
        time.sleep(_WARM_S)
        before = smsc.figures()
        called = probes(call, PREFIX[channel], seconds, lambda: smsc.figures().taken < backlog)
        after = smsc.figures()
        with suppress(TimeoutError):  # what is missing is said
            until(lambda: len(smsc.ledger()) >= len(called), _LEDGER_S)
    return waited(called, smsc, intake, (before, after))


def probes(call: Call, prefix: str, seconds: float, going: Callable[[], bool]) -> dict[str, int]:
    """Calls at random moments, 20 a second, each for an MSISDN of its own, for so long or until
    the bulk beside them is over; when each began, in ns."""
    draw = random.Random(4)  # noqa: S311 (moments, no secret)
    called: dict[str, int] = {}
    lock = threading.Lock()

    def one(msisdn: str) -> None:
        with lock:
            called[msisdn] = time.monotonic_ns()
        call(msisdn)

    due = began = time.monotonic()
    with ThreadPoolExecutor(_LANES) as pool:
        pending: list[Future[None]] = []
        while due < began + seconds and going():
            time.sleep(max(0.0, due - time.monotonic()))
            pending.append(pool.submit(one, f"{prefix}{len(pending):06d}"))
            due += draw.uniform(0.2, 1.8) * EVERY_S
        for done in pending:
            done.result()
    return called


def waited(
    called: dict[str, int], smsc: Smsc, intake: str, figures: tuple[Figures, Figures]
) -> Waited:
    """What the SMSC's ledger says of those calls, and its figures before and after them."""
    before, after = figures
    arrived = dict(reversed(smsc.ledger()))  # the first, should one come twice
    times = sorted((arrived[one] - at) / 1e6 for one, at in called.items() if one in arrived)
    smsc.tell("watch", "-")
    return Waited(
        times=times,
        missing=len(called) - len(times),
        intake=intake,
        beside=(after.taken - before.taken) * 1e9 / max(1, after.last - before.last),
        throttled=after.throttled / max(1, after.submits),
    )


def _intake(sender: Sender, channel: str) -> tuple[Call, str]:
    """How one is accepted: by the API where it takes notifications, and else as the API will."""
    demo = json.loads((sender.home / "demo.json").read_text())
    where = urlsplit(demo["url"])
    own = threading.local()

    def post(msisdn: str) -> int:
        if not hasattr(own, "link"):
            own.link = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        body = json.dumps({"to": msisdn, "text": TEXT, "class": "urgent", "sender_id": "15200"})
        own.link.request("POST", "/api/v1/notifications", body, _headers(demo["api_key"]))
        answer = own.link.getresponse()
        answer.read()
        return int(answer.status)

    def by_api(msisdn: str) -> None:
        status = post(msisdn)
        if status != 202:
            raise ConnectionError(f"the API answers {status}")

    if post("255700000000") == 202:
        return by_api, "by the API"
    return _by_store(sender, channel), "accepted by the store and rung: no API yet"


def _headers(key: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"bench-{time.monotonic_ns()}",
    }


def _by_store(sender: Sender, channel: str) -> Call:
    seal = Seal(*sender.database.keys)
    notifications = PgNotifications(Database(sender.database.url), seal)
    doorbells = RqDoorbells(Redis.from_url(sender.settings["redis_url"]))

    def accept(msisdn: str) -> None:
        now = datetime.now(UTC)
        notifications.accept(
            Notification(
                effect=f"bench:{msisdn}:{time.monotonic_ns()}", institution="ega",
                msisdn=Msisdn(msisdn), text=TEXT, klass=Class.URGENT, sender_id="15200",
                channel=channel, encoding=Encoding.GSM7, parts=1, accepted_at=now,
                expires_at=now + LIVES[Class.URGENT],
            )
        )  # fmt: skip
        doorbells.ring(channel)

    return accept
