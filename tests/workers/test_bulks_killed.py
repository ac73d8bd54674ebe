"""The importing worker dies in the middle, again and again, and every good row is there once.

BULK_ROWS and BULK_KILLS make it large (`BULK_ROWS=1000000 BULK_KILLS=5`).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.bulks import Office
from ussdapp.core.bulk import BulkStatus

ROOT = Path(__file__).parents[2]
ROWS = int(os.environ.get("BULK_ROWS", "17000"))
KILLS = int(os.environ.get("BULK_KILLS", "5"))
PATIENCE_S = 40 + ROWS / 2000
SERVE = """
import sys
from tests.fakes.served import settings
from ussdapp.bootstrap import build_gateway
from workers.importing import serve
serve(build_gateway(settings(*sys.argv[1:])))
"""


@pytest.fixture
def command(database_url: str, redis_url: str) -> list[str]:
    return [sys.executable, "-c", SERVE, database_url, redis_url]


@contextmanager
def worker(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.005)


def read(office: Office) -> int:
    return int(office.ask("SELECT read FROM bulks")[0][0])


def released(office: Office) -> bool:
    return office.ask("SELECT released_at FROM bulks") != [(None,)]


def table() -> bytes:
    bad = {n for n in range(ROWS) if n % 100 == 50}
    lines = (f"{'0222' if n in bad else 255_754_000_000 + n},Asha {n},{n}\n" for n in range(ROWS))
    return ("to,jina,kiasi\n" + "".join(lines)).encode()


def test_sigkill_of_the_importing_worker_loses_and_doubles_no_row(
    office: Office, command: list[str]
) -> None:
    number = office.file(table())
    for kill in range(KILLS):
        with worker(command):
            # the last one falls while it is queued
            due = (kill + 1) * ROWS // KILLS
            until(lambda due=due: read(office) >= min(due, ROWS - 8000))  # type: ignore[misc]
    with worker(command):
        until(lambda: released(office))
    view = office.view(number)
    bad = [n + 2 for n in range(ROWS) if n % 100 == 50]
    assert view.status is BulkStatus.QUEUED
    assert (view.total, view.accepted, view.rejected) == (ROWS, ROWS - len(bad), len(bad))
    assert [row for row, _, _ in office.rejected(number)] == bad
    good = office.ask("SELECT row_no FROM notifications ORDER BY row_no")
    assert [row for (row,) in good] == sorted(set(range(2, ROWS + 2)) - set(bad))
    queued = office.ask(
        """SELECT count(*), count(DISTINCT id) FROM (SELECT unnest(ids) AS id FROM queue
        WHERE bulk_id = %s AND channel = 'sandbox') q""",
        number,
    )
    assert queued == [(ROWS - len(bad),) * 2]
    assert all(msisdn == str(255_754_000_000 + row - 2) for row, msisdn, _ in sample(office))
    assert office.holds()


def sample(office: Office) -> list[tuple[int, str, str]]:
    return office.sent(1)[:: max(1, ROWS // 1000)]


def test_a_worker_that_is_told_to_stop_ends_its_chunk_and_goes(
    office: Office, command: list[str]
) -> None:
    office.file(table())
    with worker(command) as process:
        until(lambda: read(office) > 0)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.returncode == 0
    assert office.holds()
