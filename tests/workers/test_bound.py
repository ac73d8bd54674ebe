"""A bound worker on a simulated SMSC and a real database: late answers and long texts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.smsc import ForkedSmsc
from tests.stores.world import ASHA, SEAL, World, after
from tests.wire.peer import until
from ussdapp.channels import smpp
from ussdapp.core.inbound import Mo
from ussdapp.sandbox.smsc_process import SmscProcess
from ussdapp.stores.database import Database
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.wire.receipt_text import decoded
from workers.bound import Bound

LONG = "LALAMIKO tanesco Umeme hakuna tangu jana usiku 😀 " * 5


def _silent(*_: object) -> None:
    """A doorbell that nobody rings."""


@dataclass
class Received:
    """What the use case was given."""

    mos: list[Mo] = field(default_factory=list)

    def __call__(self, mo: Mo, now: datetime) -> None:
        self.mos.append(mo)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    made = World(database, database_url)
    yield made
    made.leases.release()
    database.close()


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[SmscProcess]:
    with ForkedSmsc(tmp_path / "ledger.jsonl") as smsc:
        yield smsc


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def bound(world: World, smsc: SmscProcess, received: Received) -> Iterator[Bound]:
    options = {
        "host": "127.0.0.1",
        "port": smsc.port,
        "system_id": "ega",
        "password": "secret",
        "response_s": 0.3,
    }
    gateway = SimpleNamespace(
        sending=lambda name: smpp.build(name, options),
        mo_parts=PgMoParts(world.database, SEAL, decoded),
        journal=world.journal,
        leases=world.leases,
        receipts=world.receipts,
        record_receipts=world.receipts.keep,
        receive_mo=received,
        doorbells=SimpleNamespace(ring=_silent, answered=_silent),
        urgent_bell=SimpleNamespace(listen=_silent),
        sorry=lambda language: "",
        settings=SimpleNamespace(bulk_hours=(0, 0)),
    )
    bound = Bound(gateway, "sandbox")  # type: ignore[arg-type]
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


def test_a_long_text_from_a_handset_is_received_once_and_whole(
    smsc: SmscProcess, bound: Bound, received: Received
) -> None:
    mo = {"from": ASHA.digits, "to": "15200", "text": LONG}
    told = smsc.control(mo=mo)
    assert len(told["parts"]) > 1
    assert told["command_status"] == 0
    assert [(one.text, one.msisdn) for one in received.mos] == [(LONG, ASHA)]
    assert bound._mo_parts.overdue(after(10**9)) == []
