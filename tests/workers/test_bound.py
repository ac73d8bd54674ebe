"""A bound worker on a simulated SMSC and a real database: late answers and long texts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.patience import until
from tests.fakes.smsc import ForkedSmsc
from tests.stores.world import ASHA, World, after
from tests.workers.parts import parts
from ussdapp.channels import smpp
from ussdapp.core.inbound import Mo
from ussdapp.core.notification import Class
from ussdapp.sandbox.smsc_process import SmscProcess
from ussdapp.stores.leases import PgLeases
from workers.bound import Bound

LONG = "LALAMIKO tanesco Umeme hakuna tangu jana usiku 😀 " * 5


@dataclass
class Received:
    """What the use case was given."""

    mos: list[Mo] = field(default_factory=list)

    def __call__(self, mo: Mo, now: datetime) -> None:
        self.mos.append(mo)


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[SmscProcess]:
    with ForkedSmsc(tmp_path / "ledger.jsonl") as smsc:
        yield smsc


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def gateway(world: World, smsc: SmscProcess, received: Received) -> Any:
    options = {
        "host": "127.0.0.1",
        "port": smsc.port,
        "system_id": "ega",
        "password": "secret",
        "response_s": 0.3,
    }
    return parts(world, lambda name: smpp.build(name, options), receive_mo=received)


@pytest.fixture
def bound(gateway: Any) -> Iterator[Bound]:
    bound = Bound(gateway, "sandbox")
    bound.start()
    until(lambda: bound._channel.ready() and bound._lease is not None)
    yield bound
    bound.stop()


def test_an_answer_that_comes_after_its_time_settles_the_doubt(
    world: World, smsc: SmscProcess, bound: Bound
) -> None:
    smsc.control(set={"hold": True, "receipt_lost_pct": 100})
    world.accept("one", at=datetime.now(UTC))
    bound.rung()
    until(lambda: world.statuses() == ["in_doubt"])
    smsc.control(set={"hold": False})
    until(lambda: world.statuses() == ["submitted"])
    assert len(smsc.accepted()) == 1


def test_a_bulk_makes_way_between_its_windows_and_what_is_urgent_does_not(
    world: World, bound: Bound
) -> None:
    claimed: list[int] = []  # by who makes way, before it does
    lanes = bound._lanes
    lanes.make_way = lambda: claimed.append(lanes._own.rows)  # type: ignore[method-assign]
    world.accept("urgent", Class.URGENT, at=datetime.now(UTC))
    world.accept_bulk("ega", 1, [f"text {number}" for number in range(200)], lives=10**5)
    bound.rung()
    until(lambda: set(world.statuses()) <= {"submitted", "delivered"})
    until(lambda: claimed.count(90) == 2)  # of a window of 100
    assert set(claimed) == {0, 90, 20}


def test_a_worker_that_is_told_and_has_no_lease_has_another_told(
    world: World, gateway: Any, bound: Bound
) -> None:
    rung: list[tuple[str, int]] = []
    gateway.doorbells.ring = lambda *told: rung.append(told)
    others = {**vars(gateway), "leases": PgLeases(world.database, world.url)}
    spare = Bound(SimpleNamespace(**others), "sandbox")  # type: ignore[arg-type]
    spare.start()
    until(lambda: spare._others == 1)
    bound.rung()
    assert rung == []
    spare.rung()
    spare.stop()
    assert rung == [("sandbox", 2)]


def test_a_long_text_from_a_handset_is_received_once_and_whole(
    smsc: SmscProcess, bound: Bound, received: Received
) -> None:
    mo = {"from": ASHA.digits, "to": "15200", "text": LONG}
    told = smsc.control(mo=mo)
    assert len(told["parts"]) > 1
    assert told["command_status"] == 0
    assert [(one.text, one.msisdn) for one in received.mos] == [(LONG, ASHA)]
    assert bound._mo_parts.overdue(after(10**9)) == []
