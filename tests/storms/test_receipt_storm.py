"""Receipts in a storm: before their answer, twice, of unknown ids, in another base than the answer;
a process for each account, as workers are, and in it two threads that keep receipts while a third
records submits. RECEIPT_STORM says of how many notifications."""

import os
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from random import Random
from typing import Any, Final

import psycopg
import pytest

from tests.stores.world import SEAL
from ussdapp.core.inbound import Lease, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Lane
from ussdapp.core.status import FINAL, Status
from ussdapp.ports import Outcome, Submission, Submitted, Unavailable
from ussdapp.stores.balance import balance
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.queue import Flow, enqueue
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.told_ids import ToldIds
from ussdapp.usecases.record_receipts import RecordReceipts

NOTIFICATIONS = int(os.environ.get("RECEIPT_STORM", "3000"))
SEED = int(os.environ.get("STORM_SEED", "152"))
WINDOW: Final = 500
EARLY, TWICE, UNKNOWN, CONTRADICTORY, LONG, FAILED = 0.3, 0.2, 0.05, 0.02, 0.03, 0.1  # shares
COLUMNS: Final = """effect, class, rank, channel, msisdn_index, text_index, sender_id, encoding,
    parts, automatic, status, status_at, accepted_at, due_at, expires_at"""
# How an account's SMSC spells an id in its answer, and in its receipt.
SPELLINGS: Final[dict[str, tuple[Callable[[int], str], Callable[[int], str]]]] = {
    "same": ("{:X}".format, "{:016x}".format),
    "hex": ("{:x}".format, str),
    "decimal": (str, "{:08X}".format),
}
FIRST_ID: Final = 0x7F00_0000_0000
ON_A_FINAL_ONE: Final = """
    CREATE FUNCTION refuse_backward() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'moved from % to %', OLD.status, NEW.status; END $$;
    CREATE TRIGGER never_backward BEFORE UPDATE ON notifications FOR EACH ROW
        WHEN (OLD.status IN ('delivered', 'undelivered', 'rejected', 'expired', 'stopped')
            AND NEW.status <> OLD.status) EXECUTE FUNCTION refuse_backward();
"""


class Watched(Database):
    """A database that remembers what it could not do at once: a deadlock is among it."""

    troubles: list[str]

    def run_once(self, work: Any) -> Any:
        try:
            return super().run_once(work)
        except Unavailable as trouble:
            self.troubles.append(str(trouble))
            raise


@dataclass
class Operator:
    """An SMSC that takes everything, and whose receipts outrun its answers or come twice."""

    random: Random
    ids: Iterator[int]
    sent: Counter[str] = field(default_factory=Counter)

    def answer(self, account: str, row: Submission, parts: int) -> tuple[Submitted, list[Receipt]]:
        """What it answers, and the receipts it owes."""
        answered, receipted = SPELLINGS[account]
        numbers = [next(self.ids) for _ in range(parts)]
        receipts = [self._receipt(account, receipted(number), row.msisdn) for number in numbers]
        self.sent["known"] += parts
        if self.random.random() < CONTRADICTORY:
            other = Status.EXPIRED  # which no first one says
            receipts.append(receipts[0]._replace(status=other))
            self.sent["contradictory"] += 1
        if self.random.random() < UNKNOWN:
            unknown = receipted(next(self.ids) + (1 << 52))
            receipts.append(receipts[0]._replace(message_id=unknown, code="404"))
            self.sent["unknown"] += 1
        return Submitted(tuple(answered(number) for number in numbers)), receipts

    def repeated(self, receipts: Sequence[Receipt]) -> list[Receipt]:
        """Those that come twice; what contradicts comes after what it contradicts, or nobody
        could say which of them is the first."""
        again = [
            one for one in receipts
            if one.status is not Status.EXPIRED and one.code == "000"
            and self.random.random() < TWICE
        ]  # fmt: skip
        self.sent["repeated"] += len(again)
        return again

    def _receipt(self, account: str, message_id: str, msisdn: Msisdn) -> Receipt:
        failed = self.random.random() < FAILED
        status = Status.UNDELIVERED if failed else Status.DELIVERED
        return Receipt(account, message_id, status, "000", msisdn)


def msisdn(number: int) -> Msisdn:
    return Msisdn(f"25575{number:07d}")


def load(link: Connection, account: str, numbers: Sequence[int], long: set[int]) -> None:
    """Queued notifications, one to an MSISDN; some of two parts."""
    now = datetime.now(UTC)
    soon = now + timedelta(hours=1)
    with link.cursor().copy(f"COPY notifications ({COLUMNS}) FROM STDIN") as copy:
        for number in numbers:
            index, text = SEAL.index(msisdn(number)), SEAL.content_index(str(number))
            copy.write_row(
                (f"storm {number}", "bulk", 3, account, index, text, "15200", "gsm7",
                 2 if number in long else 1, False, "queued", now, now, now, soon)
            )  # fmt: skip
    query = "SELECT id, effect FROM notifications WHERE channel = %s ORDER BY id"
    found = rows(link, query, (account,))
    with link.cursor().copy(
        "COPY contents (notification_id, msisdn_sealed, text_sealed) FROM STDIN"
    ) as copy:
        for number, effect in found:
            digits = msisdn(int(effect.split()[1])).digits
            copy.write_row(
                (number, SEAL.close_text(digits, MSISDN), SEAL.close_text("Habari", TEXT))
            )
    enqueue(link, Flow(account, 3), [row[0] for row in found], now)


@dataclass
class Storm:
    """One account's submits, that are recorded by one thread, and its receipts by two others."""

    database: Database
    lease: Lease
    long: frozenset[str]
    operator: Operator
    batches: "queue.Queue[tuple[list[Receipt], threading.Event] | None]" = field(
        default_factory=lambda: queue.Queue(64)
    )

    def __post_init__(self) -> None:
        told = ToldIds()
        self.journal = PgJournal(self.database, SEAL, tell=told.learn)
        self.record = RecordReceipts(PgReceipts(self.database, SEAL, told))
        self._again: list[Receipt] = []

    def run(self) -> None:
        """Until all is submitted, and kept."""
        with ThreadPoolExecutor(3) as pool:
            threads = [pool.submit(self._receive) for _ in range(2)]
            try:
                pool.submit(self._submit).result()
            finally:
                for _ in threads:
                    self.batches.put(None)
            for thread in threads:
                thread.result()

    def _receive(self) -> None:
        while one := self.batches.get():
            receipts, kept = one
            self.record(receipts, datetime.now(UTC))
            kept.set()

    def _submit(self) -> None:
        answered: list[tuple[Submission, Outcome]] = []
        late: list[Receipt] = []
        while True:
            now = datetime.now(UTC)
            window = self.journal.claim(self.lease, WINDOW, now, Lane.BULK, answered)
            self.batches.put((late + self._again, threading.Event()))
            if not window:
                return
            answered, late = self._window(window)

    def _window(
        self, window: list[Submission]
    ) -> tuple[list[tuple[Submission, Outcome]], list[Receipt]]:
        """Some receipts are kept before the answers are recorded, most are sent after."""
        answered: list[tuple[Submission, Outcome]] = []
        early: list[Receipt] = []
        late: list[Receipt] = []
        for row in window:
            parts = 2 if row.msisdn.digits in self.long else 1
            answer, receipts = self.operator.answer(self.lease.channel, row, parts)
            answered.append((row, answer))
            (early if self.operator.random.random() < EARLY else late).extend(receipts)
        kept = threading.Event()
        self.batches.put((early, kept))
        self._again = self.operator.repeated(early + late)
        kept.wait(60)
        return answered, late


@dataclass(frozen=True)
class Told:
    """What one process did: what its operator sent, what the database could not do at once, and
    from when to when it ran (monotonic seconds), with seconds of Python's processor."""

    sent: Counter[str]
    troubles: list[str]
    began: float
    ended: float
    spent: float


_together: list[Barrier] = []


def begin_with(others: Barrier) -> None:
    """None begins before all are ready."""
    _together.append(others)
    others.wait(60)


def storm_of(url: str, account: str, place: int, long: frozenset[str]) -> Told:
    """The storm of one account, in a process of its own."""
    database = Watched(url)
    database.troubles = []
    leases = PgLeases(database, url)
    lease = leases.take(account, 1, datetime.now(UTC))
    assert lease
    first = FIRST_ID + place * 10 * NOTIFICATIONS
    ids = iter(range(first, first + 10 * NOTIFICATIONS))
    operator = Operator(Random(SEED + place), ids)
    _together[0].wait(60)
    began, spent = time.monotonic(), time.process_time()
    Storm(database, lease, long, operator).run()
    ended, spent = time.monotonic(), time.process_time() - spent
    leases.release()
    database.close()
    return Told(operator.sent, database.troubles, began, ended, spent)


@pytest.fixture
def database(database_url: str) -> Iterator[Watched]:
    with psycopg.connect(database_url, autocommit=True) as link:
        link.execute(ON_A_FINAL_ONE)
    made = Watched(database_url)
    made.troubles = []
    yield made
    made.close()
    with psycopg.connect(database_url, autocommit=True) as link:
        link.execute("DROP FUNCTION refuse_backward CASCADE")


def stormed(database: Database, url: str) -> list[Told]:
    """Every account's storm, all at once."""
    random = Random(SEED)
    long = set(random.sample(range(NOTIFICATIONS), int(LONG * NOTIFICATIONS)))
    for place, account in enumerate(SPELLINGS):
        numbers = range(place, NOTIFICATIONS, len(SPELLINGS))
        database.unlimited(lambda link, a=account, n=numbers: load(link, a, n, long))  # type: ignore[misc]
    digits = frozenset(msisdn(number).digits for number in long)
    spawn = get_context("spawn")
    together = spawn.Barrier(len(SPELLINGS))
    with ProcessPoolExecutor(len(SPELLINGS), spawn, begin_with, (together,)) as pool:
        running = [
            pool.submit(storm_of, url, account, place, digits)
            for place, account in enumerate(SPELLINGS)
        ]
        return [one.result() for one in running]


def test_a_storm_of_receipts_is_applied_or_parked_and_moves_nothing_backward(
    database: Watched, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = stormed(database, database_url)
    took = max(one.ended for one in told) - min(one.began for one in told)
    spent = sum(one.spent for one in told)
    sent = sum((one.sent for one in told), Counter())
    later = datetime.now(UTC) + timedelta(seconds=30)
    PgReceipts(database, SEAL).apply(later)

    assert not [trouble for one in told for trouble in one.troubles]
    states = dict(database.run(lambda link: rows(link, STATES)))
    assert sum(states.values()) == NOTIFICATIONS
    assert set(states) <= {status.value for status in FINAL}
    ended = dict(database.run(lambda link: rows(link, ENDED)))
    assert ended["applied"] == sent["known"]
    assert ended["nothing_new"] == sent["repeated"]
    assert ended["conflict"] == sent["contradictory"]
    assert database.run(lambda link: rows(link, PARKED)) == [(sent["unknown"],)]
    assert balance(database).holds
    with capsys.disabled():
        sys.stdout.write(
            f"\n{sent.total():,} receipts, {sent.total() / took:,.0f} a second beside submitting"
            f" {NOTIFICATIONS / took:,.0f} a second; Python {spent / sent.total() * 1e6:.0f} us of"
            f" CPU a receipt, its submit included\n"
        )


STATES: Final = "SELECT status, count(*) FROM notifications GROUP BY 1"
ENDED: Final = "SELECT outcome, count(*) FROM receipts_each GROUP BY 1"
PARKED: Final = "SELECT count(*) FROM parked_receipts"
