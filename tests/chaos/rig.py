"""Everything delivery needs, as real processes that a test may kill, stop and starve."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.chaos import checker, rows
from tests.chaos.clusters import START, small_disk
from tests.chaos.processes import Proxy, Worker, children_of, kill
from tests.e2e.system import ROOT
from ussdapp.core.notification import Lane
from ussdapp.sandbox import embedded
from ussdapp.sandbox.back_office_answers import settings_tables
from ussdapp.sandbox.children import Child, Program, end
from ussdapp.sandbox.smsc_process import SmscProcess
from ussdapp.sandbox.toml import toml_text
from workers.lanes import shares

LOOK = 0.02
OPEN = """SELECT EXISTS (SELECT FROM queue WHERE due_at < now() + interval '1 hour')
    OR EXISTS (SELECT FROM windows)"""
STATES = "SELECT status, count(*) FROM notifications GROUP BY 1 ORDER BY 1"


@dataclass(frozen=True)
class Plan:
    """What a scenario wants: how many workers, the options of its channel, what the SMSC does,
    and whether it reaches the SMSC through the proxy."""

    workers: int = 1
    channel: Mapping[str, Any] = field(default_factory=dict)
    smsc: Mapping[str, Any] = field(default_factory=dict)
    proxied: bool = False
    disk_mb: int = 0  # PostgreSQL's own disk; 0 is the machine's

    @property
    def window(self) -> int:
        return int(self.channel.get("window", 111))

    @property
    def full(self) -> int:
        """How many bulk notifications are under way at most: with a window of 111 a hundred, which
        divides a block of the queue."""
        return sum(most for lane, most in shares(self.window) if lane is not Lane.EXPRESS)


class Rig:
    """To be used from the main thread: its processes' lives are bound to the thread that starts
    them."""

    def __init__(self, folder: Path, plan: Plan, random: Random, stack: ExitStack) -> None:
        self.folder, self.plan, self.random, self._stack = folder, plan, random, stack
        self.settings = folder / "settings.toml"
        self.cuts = 0  # faults that may each leave a window in doubt
        self.workers: list[Worker] = []
        self._log = stack.enter_context((folder / "rig.log").open("ab"))
        self.postgres = self._postgres()
        self._valkey = embedded.valkey(folder / "valkey", os.environ)
        self.valkey = Child(self._valkey.program, self._log.fileno())
        self._helpers = [self.valkey]
        self.smsc = stack.enter_context(SmscProcess(folder / "ledger.jsonl"))
        self.proxy = Proxy(self.smsc.port) if plan.proxied else None
        if self.proxy is not None:
            stack.callback(self.proxy.stop)

    # starting

    def start(self) -> None:
        """The stores; then what is in them is the test's to say, before `deliver`."""
        self._stack.callback(self._end)
        self.until(lambda: self.valkey.pid and self._valkey.answers(self.valkey.pid))
        self.until(self.postgres_answers)
        if self.plan.smsc:
            self.turn(**self.plan.smsc)
        self.settings.write_text(toml_text(self._settings()))

    def deliver(self) -> None:
        """Starts the workers and the reconciler."""
        self._helpers.append(Child(self._program("beat", "workers.beat"), self._log.fileno()))
        for number in range(self.plan.workers):
            log = self.folder / f"worker-{number}.log"
            output = self._stack.enter_context(log.open("ab"))
            program = self._program(f"deliver.{number}", "workers.bound", rows.CHANNEL)
            self.workers.append(Worker(Child(program, output.fileno()), log))
        self.tend()

    def tend(self) -> None:
        """What has died is started again, as the supervisor does."""
        now = time.monotonic()
        for child in [self.postgres, *self._helpers, *(one.child for one in self.workers)]:
            child.buried(now)
            child.start_if_due(now)

    # waiting

    def until(self, true: Callable[[], Any], patience: float = START) -> Any:
        """The first true value, everything kept alive meanwhile."""
        deadline = time.monotonic() + patience
        while not (found := true()):
            assert time.monotonic() < deadline, self.troubles()
            self.tend()
            time.sleep(LOOK)
        return found

    def wait(self, seconds: float) -> None:
        """Lets so much time pass."""
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            self.tend()
            time.sleep(LOOK)

    def until_quiet(self, patience: float = 120.0, still: float = 2.0) -> None:
        """Nothing is queued or being submitted, and no receipt has moved anything of late."""
        self.until(lambda: not self.query(OPEN)[0][0], patience)
        before, since = self._motion(), time.monotonic()
        deadline = since + patience
        while time.monotonic() - since < still:
            assert time.monotonic() < deadline, self.troubles()
            self.wait(0.2)
            if (now := self._motion()) != before:
                before, since = now, time.monotonic()

    def until_accepted(self, count: int, patience: float = 120.0) -> None:
        """The SMSC has taken so many."""
        self.until(lambda: self.stats().get("accepted", 0) >= count, patience)

    # looking

    def stats(self) -> dict[str, int]:
        """The SMSC's counts."""
        told: dict[str, int] = self.smsc.control(stats=True)["stats"]
        return told

    def turn(self, **knobs: object) -> None:
        """Turns the SMSC's knobs."""
        told = self.smsc.control(set=knobs)
        assert "error" not in told, told

    def query(self, query: Any, *values: object) -> list[tuple[Any, ...]]:
        """Asks PostgreSQL, again while it is down."""
        deadline = time.monotonic() + START
        while True:
            try:
                with psycopg.connect(self.url, connect_timeout=2) as link:
                    return link.execute(query, values).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, self.troubles()
                self.tend()
                time.sleep(LOOK)

    def postgres_answers(self) -> bool:
        pid = self.postgres.pid
        return pid is not None and self._postgres_store.answers(pid)

    def logged(self, event: str) -> int:
        """How often the workers have logged that."""
        words = b'"event": "%s"' % event.encode()
        return sum(one.log.read_bytes().count(words) for one in self.workers)

    def check(self, faults: int, each: int | None = None) -> checker.Verdict:
        """Compares ledger and database: each fault may leave a window in doubt."""
        bound = faults * (self.plan.window if each is None else each)
        ledger = self.smsc.accepted()
        return checker.check(self.url, self.settings, ledger, bound, self.plan.window)

    def troubles(self) -> str:
        """What to look at when something never happened."""
        tails = [one.log.read_text(errors="replace")[-1500:] for one in self.workers]
        return "\n".join(["it did not happen", str(self.stats()), *tails])

    # what breaks it

    def victim(self) -> Worker:
        """One of the workers that deliver."""
        found: list[Worker] = self.until(lambda: [one for one in self.workers if one.delivers])
        return self.random.choice(found)

    def kill_postgres(self) -> None:
        """SIGKILL to every process of it."""
        for pid in self.postgres_pids():
            kill(pid, signal.SIGKILL)
        self.until(lambda: self.postgres.buried(time.monotonic()) is not None or None)

    def freeze_postgres(self, signum: signal.Signals) -> None:
        """SIGSTOP or SIGCONT to every process of it."""
        for pid in self.postgres_pids():
            kill(pid, signum)

    def postgres_pids(self) -> list[int]:
        """The postmaster and its children."""
        assert self.postgres.pid is not None
        return [self.postgres.pid, *children_of(self.postgres.pid)]

    # within

    @property
    def url(self) -> str:
        return self._postgres_store.url

    def _postgres(self) -> Child:
        self._postgres_store = embedded.postgres(self.folder / "postgres", os.environ)
        return Child(self._postgres_store.program, self._log.fileno())

    def _motion(self) -> object:
        stats = self.stats()
        return self.query(STATES), stats.get("receipts_taken"), stats["owed"], stats["held"]

    def _settings(self) -> dict[str, Any]:
        port = self.proxy.port if self.proxy is not None else self.smsc.port
        channel = {
            "kind": "smpp",
            "host": "127.0.0.1",
            "port": port,
            "system_id": "ega",
            "password": "secret",
            "binds": self.plan.workers,
            "window": self.plan.window,
            "rebind_s": 0.2,
            **self.plan.channel,
        }
        return {
            "sandbox": True,
            "database_url": self.url,
            "redis_url": self._valkey.url,
            "seal_key": rows.SEAL_KEY.hex(),
            "index_key": rows.INDEX_KEY.hex(),
            "bulk_hours": [0, 0],  # whenever this runs
            "channels": {rows.CHANNEL: channel},
            "back_offices": settings_tables(9, "it is never asked"),
        }

    def _program(self, name: str, *words: str) -> Program:
        environ = {**os.environ, "USSDAPP_SETTINGS": str(self.settings)}
        for given in ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE"):
            environ.pop(given, None)
        return Program(name, [sys.executable, "-m", *words], environ, ROOT)

    def _end(self) -> None:
        for worker in self.workers:
            if worker.stopped:
                worker.signal(signal.SIGCONT)
        end([*(one.child for one in self.workers), *self._helpers[1:]], 8.0)
        end([self.valkey, self.postgres], 8.0)


@contextmanager
def rig(folder: Path, cluster: Path, plan: Plan, random: Random) -> Iterator[Rig]:
    """A running rig in that folder, on a copy of the prepared cluster."""
    with ExitStack() as stack:
        if plan.disk_mb:
            stack.enter_context(small_disk(folder / "postgres", plan.disk_mb))
        shutil.copytree(cluster, folder / "postgres", symlinks=True, dirs_exist_ok=True)
        made = Rig(folder, plan, random, stack)
        made.start()
        yield made


def steps(random: Random, count: int, rows: int) -> Sequence[int]:
    """So many moments, each after another number of accepted rows."""
    return sorted(random.sample(range(rows // 50, rows * 19 // 20), count))
