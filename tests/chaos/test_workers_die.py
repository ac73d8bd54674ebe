"""Deaths of the delivering processes: faults.md rows 27 to 32."""

import signal

from tests.chaos.conftest import Open, Prove
from tests.chaos.rig import Plan, steps
from tests.chaos.rows import bulk, load

NO_RECEIPTS = {"receipt_lost_pct": 100}


def test_fifty_killed_workers_in_a_hundred_thousand(start: Open, prove: Prove) -> None:
    rows, kills = 100_000, 50
    rig = start(Plan(workers=2, smsc={"latency_ms": 30, **NO_RECEIPTS}))
    load(rig.url, bulk(rows, long_every=100))
    rig.deliver()
    for accepted in steps(rig.random, kills, rows):
        rig.until_accepted(accepted)
        rig.victim().signal(signal.SIGKILL)
    rig.until_quiet()
    verdict = prove(rig, kills)
    assert verdict.rows == rows
    assert verdict.copies == 0


def test_killed_workers_with_receipts_on_their_way(start: Open, prove: Prove) -> None:
    rows, kills = 10_000, 10
    rig = start(Plan(workers=2, smsc={"latency_ms": 30, "receipt_early_pct": 30}))
    load(rig.url, bulk(rows, long_every=50))
    rig.deliver()
    for accepted in steps(rig.random, kills, rows):
        rig.until_accepted(accepted)
        rig.victim().signal(signal.SIGKILL)
    rig.until_quiet(still=5)
    verdict = prove(rig, kills)
    # each MSISDN has one notification: its receipt tells what no answer told. What a kill kept from
    # leaving has none, and stays in doubt.
    assert verdict.arrived == 0
    assert verdict.states["delivered"] == rows - verdict.states["in_doubt"]


def test_workers_told_to_end_leave_no_doubt(start: Open, prove: Prove) -> None:
    rows, ends = 15_000, 10
    rig = start(Plan(workers=2, smsc={"latency_ms": 30, **NO_RECEIPTS}))
    load(rig.url, bulk(rows))
    rig.deliver()
    for accepted in steps(rig.random, ends, rows):
        rig.until_accepted(accepted)
        rig.victim().signal(signal.SIGTERM)
    rig.until_quiet()
    verdict = prove(rig, 0)
    assert verdict.states == {"submitted": rows}


def test_a_worker_killed_before_an_octet_left_leaves_doubt_and_no_copy(
    start: Open, prove: Prove
) -> None:
    rows = 1000
    rig = start(Plan(proxied=True, smsc=NO_RECEIPTS))
    assert rig.proxy is not None
    rig.deliver()
    rig.until(lambda: rig.stats()["bound"])
    rig.proxy.turn(mode="stall")
    load(rig.url, bulk(rows))
    rig.until(lambda: rig.query("SELECT count(*) FROM windows")[0][0])
    rig.wait(1)
    rig.workers[0].signal(signal.SIGKILL)
    rig.proxy.turn(mode="pass", reset=True)
    rig.until_quiet()
    verdict = prove(rig, 1)
    assert verdict.doubted > verdict.arrived == 0
    assert verdict.states["submitted"] == rows - verdict.doubted == rig.stats()["accepted"]


def test_a_worker_killed_between_submit_and_answer_leaves_doubt_that_receipts_lift(
    start: Open, prove: Prove
) -> None:
    rig = start(Plan(workers=1, smsc={"hold": True}))
    load(rig.url, bulk(1000))
    rig.deliver()
    rig.until(lambda: rig.stats()["held"] == rig.plan.full)
    rig.workers[0].signal(signal.SIGKILL)
    rig.turn(hold=False)
    rig.until_quiet(still=5)
    verdict = prove(rig, 1)
    assert verdict.doubted == rig.plan.full
    assert verdict.states == {"delivered": 1000}


def test_a_worker_killed_between_answer_and_record_leaves_doubt_and_no_second_copy(
    start: Open, prove: Prove
) -> None:
    rig = start(Plan(workers=1, smsc={"hold": True, **NO_RECEIPTS}))
    load(rig.url, bulk(1000))
    rig.deliver()
    rig.until(lambda: rig.stats()["held"] == rig.plan.full)
    rig.freeze_postgres(signal.SIGSTOP)
    rig.turn(hold=False)
    rig.wait(1)
    rig.workers[0].signal(signal.SIGKILL)
    rig.freeze_postgres(signal.SIGCONT)
    rig.until_quiet()
    verdict = prove(rig, 1)
    assert verdict.doubted == verdict.arrived > 0
