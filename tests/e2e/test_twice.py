"""The whole gateway stopped and started again."""

import contextlib
import socket
from pathlib import Path
from typing import Any

from tests.e2e.system import System
from tests.fakes.processes import processes_of


def ports(papers: dict[str, Any]) -> list[int]:
    """Those of the simulated operators."""
    aggregator = int(papers["aggregator"]["url"].rpartition(":")[2])
    office = int(papers["back_office"]["url"].rpartition(":")[2])
    return [papers["smsc"]["port"], papers["smsc"]["control_port"], aggregator, office]


def lasting(papers: dict[str, Any]) -> dict[str, Any]:
    """All but the ports of the simulated operators."""
    ledgers = {name: papers[name]["ledger"] for name in ("smsc", "aggregator")}
    return {**papers, **ledgers, "back_office": None, "webhooks": None}


def is_taken(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return False
    return True


def test_the_whole_thing_gets_ready_again_with_the_same_papers_and_leaves_nothing(
    system: System,
) -> None:
    papers = system.demo
    system.stop()
    assert system.process.returncode == 0
    assert processes_of(system.home) == {}
    system.start()
    again = system.demo
    assert lasting(again) == lasting(papers)
    moved = [old for old, new in zip(ports(papers), ports(again), strict=True) if old != new]
    assert all(map(is_taken, moved))  # by another copy on this machine, meanwhile
    assert papers["url"] == f"http://127.0.0.1:{system.port}"
    assert papers["api_key"]
    assert set(papers["inbound"]) == {"sandbox", "africastalking"}
    assert Path(papers["smsc"]["ledger"]).parent == system.home
