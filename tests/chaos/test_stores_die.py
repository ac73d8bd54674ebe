"""PostgreSQL and Valkey die, refuse, fill up: faults.md rows 95 to 99."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.conftest import Open, Prove
from tests.chaos.rig import Plan, Rig, steps
from tests.chaos.rows import bulk, load

SMSC = {"latency_ms": 20, "receipt_lost_pct": 100}
OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def test_postgresql_killed_five_times_in_a_hundred_thousand(start: Open, prove: Prove) -> None:
    rows, kills = 100_000, 5
    rig = start(Plan(workers=2, smsc=SMSC))
    load(rig.url, bulk(rows, long_every=100))
    rig.deliver()
    for accepted in steps(rig.random, kills, rows):
        rig.until_accepted(accepted)
        rig.victim()
        rig.kill_postgres()
        rig.until(rig.postgres_answers)
    rig.until_quiet()
    verdict = prove(rig, kills * rig.plan.workers)
    assert verdict.rows == rows
    assert verdict.copies == 0


def test_workers_and_postgresql_killed_together(start: Open, prove: Prove) -> None:
    rows, kills = 15_000, 5
    rig = start(Plan(workers=2, smsc=SMSC))
    load(rig.url, bulk(rows))
    rig.deliver()
    for accepted in steps(rig.random, kills, rows):
        rig.until_accepted(accepted)
        rig.victim().signal(signal.SIGKILL)
        rig.kill_postgres()
        rig.until(rig.postgres_answers)
    rig.until_quiet()
    verdict = prove(rig, kills * rig.plan.workers)
    assert verdict.copies == 0


def test_backends_terminated_all_the_time_leave_no_doubt(start: Open, prove: Prove) -> None:
    rows = 20_000
    rig = start(Plan(workers=2, smsc=SMSC))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.victim()
    ended = 0
    while rig.stats().get("accepted", 0) < rows * 9 // 10 and ended < 2000:
        ended += len(rig.query(OTHERS))
        rig.wait(0.4)
    rig.until_quiet()
    # whose session was ended comes back for its lock, and nobody takes its lease meanwhile
    verdict = prove(rig, 0, note=f"{ended} backends terminated")
    assert ended > 20
    assert verdict.states == {"submitted": rows}


def test_no_connection_is_left_for_a_while(start: Open, prove: Prove) -> None:
    rows = 10_000
    rig = start(Plan(workers=2, smsc=SMSC))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_accepted(rows // 10)
    with crowded(rig):
        rig.wait(12)
        waited = rig.stats()["accepted"]
    rig.until_quiet()
    verdict = prove(rig, 0, note=f"{waited} accepted while nobody could connect")
    assert verdict.states == {"submitted": rows}


@contextmanager
def crowded(rig: Rig) -> Iterator[None]:
    """Every connection of PostgreSQL is somebody else's: those of the workers are ended, and taken
    before they come again."""
    with ExitStack() as stack:
        first = _taken(rig, stack)[0]
        for _ in range(5):
            first.execute(OTHERS + " AND application_name <> 'crowd'")
            _taken(rig, stack)
        yield


def _taken(rig: Rig, stack: ExitStack) -> list[psycopg.Connection[Any]]:
    """All connections there are to be had."""
    taken = []
    with suppress(psycopg.OperationalError):
        while True:
            link = psycopg.connect(rig.url, autocommit=True, application_name="crowd")
            taken.append(stack.enter_context(link))
    return taken


def test_a_full_disk_stops_submitting_and_room_resumes_it(start: Open, prove: Prove) -> None:
    rows = 30_000
    rig = start(Plan(workers=2, smsc=SMSC, disk_mb=260))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_accepted(rows // 20)
    filler = rig.folder / "postgres" / "filler"
    fill(filler)
    rig.until(lambda: stands_still(rig, 3), 60)
    accepted = rig.stats()["accepted"]
    assert accepted < rows, "the disk was full too late"
    rig.wait(10)
    assert rig.stats()["accepted"] == accepted, "nothing leaves that is in no journal"
    filler.unlink()
    rig.until_quiet()
    # holders nobody heard of for 30 s are taken for dead, and say then what they know
    verdict = prove(rig, rig.plan.workers, note=f"full after {accepted}")
    assert verdict.states == {"submitted": rows}


def fill(path: Path) -> None:
    """Takes all that is left of that disk."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"0")


def stands_still(rig: Rig, seconds: float) -> bool:
    """Whether the SMSC gets nothing for so long."""
    before = rig.stats()["accepted"]
    rig.wait(seconds)
    return rig.stats()["accepted"] == before


def test_valkey_killed_costs_nothing(start: Open, prove: Prove) -> None:
    rows = 10_000
    rig = start(Plan(workers=2, smsc=SMSC))
    load(rig.url, bulk(rows))
    rig.deliver()
    for accepted in steps(rig.random, 3, rows):
        rig.until_accepted(accepted)
        assert rig.valkey.pid is not None
        os.kill(rig.valkey.pid, signal.SIGKILL)
        rig.wait(1)
    rig.until_quiet()
    verdict = prove(rig, 0)
    assert verdict.states == {"submitted": rows}
