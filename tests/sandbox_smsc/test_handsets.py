"""Handsets of the simulated SMSC: they dial and key over a real bind, and see what comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.smsc import ForkedSmsc
from ussdapp.channels import smpp
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown
from ussdapp.sandbox.smsc_process import SmscProcess
from ussdapp.wire.ussd_dialogues import Answering

ASHA, JUMA = "255754000123", "255754000124"


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[SmscProcess]:
    with ForkedSmsc(tmp_path / "ledger.jsonl") as smsc:
        yield smsc


class Worker:
    """A channel whose dialogue says back what was keyed, and ends at 9."""

    def __init__(self, smsc: SmscProcess, style: str) -> None:
        self.came: list[Keyed] = []
        login = {"host": "127.0.0.1", "port": smsc.port, "system_id": "ega", "password": "secret"}
        self.channel = smpp.build("vodacom", {**login, "ussd_style": style, "response_s": 2})
        answering = Answering(self._answer, lambda: "Samahani")
        self.channel.open(lambda receipts: None, lambda mos: None, answering)
        self.channel.keep_bound()
        assert self.channel.bound

    def _answer(self, keyed: Keyed) -> Shown:
        self.came.append(keyed)
        return Shown(f"Umebonyeza {keyed.text}" if keyed.text else "Karibu", keyed.text == "9")


@pytest.fixture(params=smpp.STYLES)
def worker(request: pytest.FixtureRequest, smsc: SmscProcess) -> Iterator[Worker]:
    worker = Worker(smsc, request.param)
    worker.style = request.param  # type: ignore[attr-defined]
    yield worker
    worker.channel.close()


def dialled(worker: Worker, **more: object) -> dict[str, object]:
    style = worker.style  # type: ignore[attr-defined]
    return {"from": ASHA, "dial": "*152*00#", "style": style, **more}


def test_a_handset_sees_every_screen_until_the_last(smsc: SmscProcess, worker: Worker) -> None:
    told = smsc.control(ussd=dialled(worker, keys=["1", "Maji № 5", "9", "4"]))
    assert told["screens"] == [
        {"text": "Karibu", "ends": False},
        {"text": "Umebonyeza 1", "ends": False},
        {"text": "Umebonyeza Maji № 5", "ends": False},
        {"text": "Umebonyeza 9", "ends": True},
    ]
    assert [keyed.text for keyed in worker.came] == ["", "1", "Maji № 5", "9"]
    assert len({keyed.session_id for keyed in worker.came}) == 1


def test_a_dialogue_goes_on_in_another_request_until_it_is_left(
    smsc: SmscProcess, worker: Worker
) -> None:
    session = smsc.control(ussd=dialled(worker))["session"]
    told = smsc.control(ussd={"session": session, "keys": ["2"], "hangs_up": True})
    assert told["screens"] == [{"text": "Umebonyeza 2", "ends": False}]
    assert "error" in smsc.control(ussd={"session": session, "keys": ["3"]})
    assert len(worker.came) == 2


def test_two_handsets_do_not_see_each_others_screens(smsc: SmscProcess, worker: Worker) -> None:
    first = smsc.control(ussd=dialled(worker))["session"]
    other = smsc.control(ussd=dialled(worker, **{"from": JUMA}))["session"]
    for session, key in ((first, "1"), (other, "2")):
        (screen,) = smsc.control(ussd={"session": session, "keys": [key]})["screens"]
        assert screen["text"] == f"Umebonyeza {key}"


def test_a_screen_is_in_no_ledger_and_has_no_receipt(smsc: SmscProcess, worker: Worker) -> None:
    smsc.control(ussd=dialled(worker, keys=["1"]))
    stats = smsc.control(stats=True)["stats"]
    assert smsc.accepted() == []
    assert (stats["screens"], stats["owed"], stats.get("receipts_sent", 0)) == (2, 0, 0)


def test_without_a_bind_a_handset_is_told_so(smsc: SmscProcess) -> None:
    asked = {"from": ASHA, "dial": "*152*00#"}
    assert smsc.control(ussd=asked) == {"error": "no bind receives"}
    assert "error" in smsc.control(ussd={**asked, "style": "nobody's"})
    assert "error" in smsc.control(ussd={})
