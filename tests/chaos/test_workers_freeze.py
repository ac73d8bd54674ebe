"""Workers that stand still for longer than their lease, and wake: faults.md row 33."""

import signal

from tests.chaos.conftest import Open, Prove
from tests.chaos.rig import Plan, Rig
from tests.chaos.rows import load, mixed
from ussdapp.core.notification import Class

NO_RECEIPTS = {"receipt_lost_pct": 100}
TO_BE_RESENT = """SELECT EXISTS (SELECT FROM notifications
    WHERE class = 'urgent' AND status = 'in_doubt' AND copies < 2)"""


def frozen(rig: Rig, seconds: float) -> int:
    """All but one worker are stopped at moments of their own, and go on after so long."""
    stopped = rig.workers[1:]
    rig.until(lambda: all(worker.delivers for worker in stopped))
    for worker in stopped:
        rig.wait(rig.random.uniform(0.0, 0.2))
        worker.signal(signal.SIGSTOP)
    rig.wait(seconds)
    for worker in stopped:
        worker.signal(signal.SIGCONT)
    return len(stopped)


def test_workers_frozen_beyond_their_lease_double_nothing(start: Open, prove: Prove) -> None:
    rows = 30_000
    rig = start(Plan(workers=6, smsc={"latency_ms": 30, **NO_RECEIPTS}))
    load(rig.url, mixed(rows, (Class.BULK, Class.BULK, Class.URGENT, Class.TRANSACTION)))
    rig.deliver()
    stopped = frozen(rig, 38)
    rig.until_quiet(still=8)
    verdict = prove(rig, stopped)
    assert verdict.rows == rows
    assert verdict.copies == 0, "the urgent are resent after 120 s, and it was not that long"


def test_workers_frozen_for_two_minutes_double_only_what_is_resent(
    start: Open, prove: Prove
) -> None:
    rows = 30_000
    knobs = {"latency_ms": 30, "silent_every": 500, **NO_RECEIPTS}
    rig = start(Plan(workers=6, channel={"response_s": 10}, smsc=knobs))
    load(rig.url, mixed(rows, (Class.BULK, Class.BULK, Class.TRANSACTION, Class.URGENT)))
    rig.deliver()
    stopped = frozen(rig, 120)
    rig.until(lambda: not rig.query(TO_BE_RESENT)[0][0], 200)
    rig.until_quiet()
    silent = rig.stats()["accepted"] // 500
    # a silence each, and a window for each that was stopped
    verdict = prove(rig, stopped * rig.plan.window + silent, each=1, note=f"{silent} silences")
    assert 0 < verdict.copies <= verdict.resent
    assert rig.query("SELECT DISTINCT class FROM notifications WHERE resent") == [("urgent",)]
