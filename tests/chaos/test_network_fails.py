"""What happens between us and the SMSC: faults.md rows 29, 34 to 38 and 46 to 48."""

from functools import partial

from tests.chaos.conftest import Open, Prove
from tests.chaos.processes import Proxy
from tests.chaos.rig import Plan, Rig
from tests.chaos.rows import bulk, load

NO_RECEIPTS = {"receipt_lost_pct": 100}
UP = 1.3  # seconds: a bind that is lost sooner is tried again ever later


def test_the_smsc_cuts_the_bind_twenty_times_with_a_full_window(start: Open, prove: Prove) -> None:
    rows, cuts = 60_000, 20
    rig = start(Plan(smsc={"latency_ms": 40, **NO_RECEIPTS}))
    load(rig.url, bulk(rows))
    rig.deliver()
    for _ in range(cuts):
        rig.wait(UP)
        rig.turn(hold=True)
        rig.until(lambda: rig.stats()["held"] == rig.plan.full)
        rig.smsc.control(disconnect=True)
        rig.turn(hold=False)
        rig.until(lambda: rig.stats()["bound"])
    rig.until_quiet()
    verdict = prove(rig, cuts)
    assert verdict.doubted == verdict.arrived == cuts * rig.plan.full
    assert verdict.copies == 0


def test_a_bind_reset_within_a_pdu(start: Open, prove: Prove) -> None:
    rows, cuts = 40_000, 10  # more than leave between the resets
    rig = start(Plan(workers=1, proxied=True, smsc={"latency_ms": 60, **NO_RECEIPTS}))
    assert rig.proxy is not None
    load(rig.url, bulk(rows, long_every=20))
    rig.deliver()
    rig.victim()
    for count in range(1, cuts + 1):
        rig.wait(UP)
        rig.proxy.turn(reset_after=rig.random.randrange(1, 60_000))
        rig.until(partial(was_reset, rig.proxy, count))
        rig.until(lambda: rig.stats()["bound"])
    rig.until_quiet()
    verdict = prove(rig, cuts)
    assert verdict.copies == 0


def was_reset(proxy: Proxy, times: int) -> bool:
    return int(proxy.turn()["resets"]) >= times


def was_lost(rig: Rig, times: int) -> bool:
    return rig.logged("smpp.lost") >= times


def test_a_connection_that_is_dead_at_the_far_end(start: Open, prove: Prove) -> None:
    rows, cuts = 5_000, 2
    channel = {"enquire_s": 2, "response_s": 4}
    rig = start(Plan(workers=1, proxied=True, channel=channel, smsc={**NO_RECEIPTS}))
    assert rig.proxy is not None
    rig.turn(latency_ms=50)
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.victim()
    for mode in ("blackhole", "stall"):
        lost = rig.logged("smpp.lost")
        rig.proxy.turn(mode=mode)
        rig.until(partial(was_lost, rig, lost + 1))
        rig.proxy.turn(mode="pass", reset=True)
        accepted = rig.stats()["accepted"]
        rig.until_accepted(min(rows, accepted + 500))
    rig.until_quiet()
    # until enquire_link finds it dead, windows are submitted that nobody answers
    verdict = prove(rig, cuts * 4)
    assert verdict.copies == 0


def test_octets_that_come_in_pieces(start: Open, prove: Prove) -> None:
    rows = 2_000
    rig = start(Plan(workers=1, proxied=True, smsc=NO_RECEIPTS))
    assert rig.proxy is not None
    rig.proxy.turn(mode="split")
    load(rig.url, bulk(rows, long_every=10))
    rig.deliver()
    rig.until_quiet()
    assert prove(rig, 0).states == {"submitted": rows}


def test_an_answer_that_never_comes_costs_its_own_notification_alone(
    start: Open, prove: Prove
) -> None:
    rows = 5_000
    knobs = {"silent_every": 250, **NO_RECEIPTS}
    rig = start(Plan(workers=1, channel={"response_s": 1}, smsc=knobs))
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_quiet()
    verdict = prove(rig, rows // 250, each=1)
    assert verdict.states == {"submitted": rows - 20, "in_doubt": 20}
    assert rig.stats()["binds"] == 1, "the session is kept"


def test_an_answer_that_comes_too_late_lifts_the_doubt(start: Open, prove: Prove) -> None:
    rows = 500
    rig = start(Plan(workers=1, channel={"response_s": 1}, smsc={"hold": True, **NO_RECEIPTS}))
    load(rig.url, bulk(rows))
    rig.deliver()
    doubtful = "SELECT count(*) FROM notifications WHERE status = 'in_doubt'"
    rig.until(lambda: rig.query(doubtful)[0][0] >= 90)
    rig.turn(hold=False)
    rig.until_quiet(still=4)
    verdict = prove(rig, 10)
    assert verdict.doubted >= 90
    assert verdict.states == {"submitted": rows}


def test_an_answer_that_never_comes_is_doubt_and_no_second_copy(start: Open, prove: Prove) -> None:
    rows = 120
    knobs = {"silent_every": 40, "receipt_lost_pct": 100}
    rig = start(Plan(channel={"response_s": 1}, smsc=knobs, proxied=True))
    assert rig.proxy is not None
    rig.proxy.turn(mode="split")
    load(rig.url, bulk(rows))
    rig.deliver()
    rig.until_quiet(still=1)
    verdict = prove(rig, rows // 40, each=1)
    assert verdict.states == {"submitted": rows - 3, "in_doubt": 3}
