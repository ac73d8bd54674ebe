"""What the story survives: dead workers, lost Redis, hostile input."""

import os
import signal
import subprocess
import sys

import redis

from tests.e2e.complaint import FILE, reference_in
from tests.e2e.system import System
from tests.fakes.patience import until


def test_a_worker_killed_before_the_answer_leaves_doubt_that_the_receipt_settles(
    system: System,
) -> None:
    citizen = "255754000201"
    system.smsc(set={"hold": True, "receipt_delay_ms": 3000})
    system.dial("kill-1", citizen, *FILE)
    until(lambda: system.ledger(citizen))
    (worker,) = system.pids("workers.bound", "sandbox")
    os.kill(worker, signal.SIGKILL)
    until(lambda: system.statuses_of(citizen) == ["in_doubt"])
    system.smsc(set={"hold": False, "receipt_delay_ms": 0})
    until(lambda: system.statuses_of(citizen) == ["delivered"])
    assert len(system.ledger(citizen)) == 1


def test_a_wiped_redis_costs_a_citizen_nothing(system: System) -> None:
    url = system.settings["redis_url"]
    whole = system.dial("wipe-0", "255754000202", *FILE)
    citizen = "255754000203"
    for count in range(len(FILE) + 1):
        with redis.Redis.from_url(url) as client:
            client.flushall()
        screen = system.ussd("wipe-1", citizen, "*".join(FILE[:count])).text
        if count < len(FILE):
            assert screen == whole[count]
    reference = reference_in(screen)
    (receipt,) = until(lambda: system.ledger(citizen))
    assert reference in receipt


def test_the_books_balance_at_the_end(system: System) -> None:
    environ = {**os.environ, "USSDAPP_SETTINGS": str(system.home / "settings.toml")}
    told = subprocess.run(
        [sys.executable, "-m", "ussdapp.cli", "balance"],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout
    assert told.stdout.strip().endswith("holds")
