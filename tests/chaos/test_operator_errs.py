"""What the SMSC does wrong: faults.md rows 39 to 42, 49 to 55 and 61."""

from datetime import timedelta

from tests.chaos.conftest import Open, Prove
from tests.chaos.rig import Plan
from tests.chaos.rows import Row, bulk, load

NO_RECEIPTS = {"receipt_lost_pct": 100}


def test_receipts_that_are_early_late_doubled_and_lost(start: Open, prove: Prove) -> None:
    rows = 20_000
    knobs = {
        "receipt_lost_pct": 5,
        "receipt_early_pct": 30,
        "receipt_doubled_pct": 20,
        "receipt_delay_ms": 3000,
        "latency_ms": 20,
    }
    rig = start(Plan(workers=2, smsc=knobs))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_quiet(still=6)
    verdict = prove(rig, 0)
    assert verdict.states == {"delivered": rows * 95 // 100, "submitted": rows * 5 // 100}


def test_a_burst_of_throttling_fails_nothing(start: Open, prove: Prove) -> None:
    rows = 4_000
    rig = start(Plan(workers=2, smsc={"throttle_tps": 200, **NO_RECEIPTS}))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_accepted(600)
    rig.turn(throttle_tps=0)
    rig.until_quiet(300)
    verdict = prove(rig, 0, note=f"{rig.stats().get('refused', 0)} refused")
    assert rig.stats()["refused"] > 0
    assert verdict.states == {"submitted": rows}


def test_a_full_queue_at_the_smsc_is_waited_for(start: Open, prove: Prove) -> None:
    rows = 2_000
    knobs = {"refuse_every": 200, "refuse_status": 0x14, **NO_RECEIPTS}
    rig = start(Plan(workers=1, smsc=knobs))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_accepted(rows - 10)
    rig.turn(refuse_every=0)
    rig.until_quiet(150)
    verdict = prove(rig, 0)
    assert verdict.states == {"submitted": rows}


def test_message_ids_that_the_smsc_uses_again(start: Open, prove: Prove) -> None:
    rows = 5_000
    knobs = {"ids_again_after": 400, "receipt_delay_ms": 500, "receipt_doubled_pct": 10}
    rig = start(Plan(workers=2, smsc=knobs))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_quiet(still=6)
    assert prove(rig, 0).states == {"delivered": rows}


def test_what_waited_too_long_is_never_submitted(start: Open, prove: Prove) -> None:
    rows = 1_000
    rig = start(Plan(workers=1, smsc={"refuse_bind": 0x0D, **NO_RECEIPTS}))
    stale = [Row(number, lives=timedelta(seconds=4)) for number in range(rows)]
    load(rig.url, [*stale, *bulk(rows, first=rows)])
    rig.deliver()
    rig.wait(8)
    assert "accepted" not in rig.stats()
    rig.turn(refuse_bind=0)
    rig.until_quiet()
    assert prove(rig, 0).states == {"expired": rows, "submitted": rows}
