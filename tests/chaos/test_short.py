"""The short form: workers, PostgreSQL and the bind die in one run, in seconds."""

import signal

from tests.chaos.conftest import Open, Prove
from tests.chaos.rig import Plan, steps
from tests.chaos.rows import bulk, load

ROWS = 900
WINDOW = 50
WORKERS = 2


def test_killed_workers_lose_nothing_and_double_nothing(start: Open, prove: Prove) -> None:
    rig = start(Plan(workers=WORKERS, channel={"window": WINDOW}, smsc={"latency_ms": 20}))
    load(rig.url, bulk(ROWS, long_every=40))
    rig.deliver()
    first, second, third = steps(rig.random, 3, ROWS)
    rig.until_accepted(first)
    rig.victim().signal(signal.SIGKILL)
    rig.until_accepted(second)
    rig.victim()
    rig.kill_postgres()
    rig.until_accepted(third)
    cuts = rig.smsc.control(disconnect=True)["disconnected"]
    rig.until_quiet(still=1)
    verdict = prove(rig, 1 + WORKERS + cuts)
    assert verdict.rows == ROWS
