import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.patience import PATIENCE, until
from tests.fakes.smsc import ForkedSmsc
from ussdapp.core import gsm7
from ussdapp.sandbox.smsc_control import control
from ussdapp.sandbox.smsc_process import SmscProcess
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, Login, SubmitFields, submit_body
from ussdapp.wire.long_text import text_bodies
from ussdapp.wire.pulse import Limits
from ussdapp.wire.receipt_text import read_receipt, text_of
from ussdapp.wire.smpp import Bind, BindRefused
from ussdapp.wire.window import Answered, Unanswered

OURS, THEIRS = Address(3, 0, "15200"), Address(1, 1, "255754000001")
LONG = "Ndugu mwananchi, ombi lako {№ 1} limepokelewa. " * 9


@pytest.fixture
def smsc(tmp_path):
    with ForkedSmsc(tmp_path / "ledger.jsonl") as smsc:
        yield smsc


class Esme:
    """A bind to the simulated SMSC that keeps what comes, or refuses to."""

    def __init__(self, smsc, system_id="ega", password="secret", keeps=True) -> None:
        self.got = []
        self.keeps = keeps
        login = Login("127.0.0.1", smsc.port, system_id, password)
        self.bind = Bind(login, Limits(response_s=1, drain_s=1), self._keep)
        self.bind.connect()

    def _keep(self, delivered) -> bool:
        self.got.extend(delivered if self.keeps else ())
        return self.keeps

    def submit(self, *texts):
        return self.bind.submit([body(text) for text in texts])

    def receipts(self):
        return [read_receipt(one) for one in self.got]


@pytest.fixture
def esme(smsc):
    esme = Esme(smsc)
    yield esme
    esme.bind.close()


def body(text="Habari", destination="255754000001") -> bytes:
    to = Address(1, 1, destination)
    return submit_body(SubmitFields(OURS, to, gsm7.encode(text)))


def test_what_is_accepted_is_in_the_ledger_before_it_is_answered(smsc, esme, tmp_path):
    smsc.control(set={"hold": True, "receipt_lost_pct": 100})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(esme.submit, "Habari {yako}")
        until(smsc.accepted)
        line = smsc.accepted()[0]
        smsc.control(set={"hold": False})
        assert waiting.result(PATIENCE) == [Answered(0, line["message_id"])]
    line.pop("at")
    assert line == {
        "message_id": line["message_id"],
        "system_id": "ega",
        "source": "15200",
        "destination": "255754000001",
        "text": "Habari {yako}",
        "data_coding": 0,
        "esm_class": 0,
        "registered_delivery": 1,
    }
    assert stat.S_IMODE((tmp_path / "ledger.jsonl").stat().st_mode) == 0o600


def test_parts_are_told_apart_and_join_to_the_text(smsc, esme):
    answers = esme.bind.submit(text_bodies(LONG, OURS, THEIRS, 7))
    lines = smsc.accepted()
    assert [answer.message_id for answer in answers] == [line["message_id"] for line in lines]
    total = len(lines)
    assert [line["udh"] for line in lines] == [
        {"ref": 7, "total": total, "part": number} for number in range(1, total + 1)
    ]
    assert "".join(line["text"] for line in lines) == LONG


def test_each_submit_gets_a_receipt_that_names_it(smsc, esme):
    smsc.control(set={"receipt_state": "UNDELIV", "receipt_delay_ms": 20})
    (answer,) = esme.submit("Habari")
    until(lambda: esme.got)
    assert (esme.receipts()[0].message_id, esme.receipts()[0].state) == (
        answer.message_id,
        "UNDELIV",
    )
    assert esme.got[0].source_addr == "255754000001"
    until(lambda: smsc.control(stats=True)["stats"].get("receipts_taken") == 1)


def test_receipts_are_lost_doubled_and_early_as_the_knobs_say(smsc, esme):
    smsc.control(set={"receipt_lost_pct": 50})
    esme.submit(*["Habari"] * 10)
    until(lambda: len(esme.got) == 5)
    smsc.control(set={"receipt_lost_pct": 0, "receipt_doubled_pct": 100})
    esme.submit("Habari")
    until(lambda: len(esme.got) == 7)
    assert esme.receipts()[5] == esme.receipts()[6]
    knobs = {"receipt_doubled_pct": 0, "receipt_early_pct": 100, "latency_ms": 400}
    smsc.control(set=knobs)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(esme.submit, "Habari")
        until(lambda: len(esme.got) == 8)
        assert not waiting.done(), "the receipt came first"
        assert waiting.result(PATIENCE)[0].message_id == esme.receipts()[7].message_id


def test_a_receipt_that_was_not_kept_comes_again(smsc):
    esme = Esme(smsc, keeps=False)
    esme.submit("Habari")
    until(lambda: smsc.control(stats=True)["stats"].get("receipts_refused"))
    esme.keeps = True
    until(lambda: esme.got)
    esme.bind.close()


def test_receipts_owed_wait_for_the_next_bind_of_the_account(smsc):
    smsc.control(set={"receipt_delay_ms": 200})
    first = Esme(smsc)
    first.submit("Habari")
    first.bind.close()
    until(lambda: smsc.control(stats=True)["stats"]["owed"] == 1)
    other = Esme(smsc, system_id="mnh")
    again = Esme(smsc)
    until(lambda: again.got)
    assert not other.got
    for esme in (other, again):
        esme.bind.close()


def test_ids_begin_again_when_told_to(smsc, esme):
    smsc.control(set={"ids_again_after": 3})
    ids = [answer.message_id for answer in esme.submit(*["Habari"] * 7)]
    assert ids[:3] == ids[3:6]
    assert len(set(ids)) == 3
    assert ids[6] == ids[0]


def test_ids_may_be_hex_in_answers_and_decimal_in_receipts(smsc, esme):
    smsc.control(set={"id_form": "hex"})
    (answer,) = esme.submit("Habari")
    until(lambda: esme.got)
    assert int(answer.message_id, 16) == int(esme.receipts()[0].message_id)


def test_refusals_and_throttling_leave_nothing_in_the_ledger(smsc, esme):
    smsc.control(set={"refuse_suffix": "9", "refuse_status": 0x0B})
    answers = esme.bind.submit([body(), body(destination="255754000009")])
    assert [answer.command_status for answer in answers] == [0, 0x0B]
    smsc.control(set={"refuse_suffix": "", "throttle_tps": 5})
    throttled = [answer.command_status for answer in esme.submit(*["Habari"] * 100)]
    assert throttled.count(0x58) >= 85
    smsc.control(set={"throttle_tps": 0, "refuse_every": 2, "refuse_status": 0x45})
    assert [answer.command_status for answer in esme.submit("a", "b")].count(0x45) == 1
    assert len(smsc.accepted()) == 1 + throttled.count(0) + 1


def test_silence_and_disconnects_leave_doubt(smsc, esme):
    smsc.control(set={"silent_every": 2})
    assert list(map(type, esme.submit("a", "b"))) == [Answered, Unanswered]
    smsc.control(set={"silent_every": 0, "disconnect_after": 3})
    answers = esme.submit(*["Habari"] * 5)
    until(lambda: not esme.bind.alive)
    assert len(answers) == 5
    assert len(smsc.accepted()) == 7, "what arrived before the cut counts as taken"
    again = Esme(smsc)
    assert smsc.control(disconnect=True) == {"disconnected": 1}
    until(lambda: not again.bind.alive)


def test_an_mo_is_delivered_and_says_how_it_was_answered(smsc, esme):
    request = {"from": "255754000001", "to": "15200", "text": "LALAMIKO tanesco Umeme — hakuna"}
    assert smsc.control(mo=request) == {"command_status": 0, "parts": [0]}
    assert (esme.got[0].source_addr, esme.got[0].destination_addr) == ("255754000001", "15200")
    assert text_of(esme.got[0]) == request["text"]
    esme.keeps = False
    assert smsc.control(mo=request)["command_status"] == pdu.ESME_RX_T_APPN
    esme.keeps = True
    assert smsc.control(mo={**request, "text": LONG})["command_status"] == 0
    assert "".join(text_of(one) for one in esme.got[1:]) == LONG


def test_who_may_bind_can_be_limited(tmp_path):
    flags = ["--system-id", "ega", "--password", "secret"]
    with SmscProcess(tmp_path / "ledger", flags) as smsc:
        Esme(smsc).bind.close()
        with pytest.raises(BindRefused):
            Esme(smsc, password="wrong")
        smsc.control(set={"refuse_bind": 5})
        with pytest.raises(BindRefused) as told:
            Esme(smsc)
        assert told.value.command_status == 5


def test_control_refuses_what_it_does_not_know(smsc):
    assert "error" in smsc.control(set={"no_such_knob": 1})
    assert "error" in smsc.control(set={"latency_ms": "1"})
    assert "error" in smsc.control(mo={"from": "255754000001", "to": "15200", "text": "no bind"})
    assert "error" in smsc.control(hello=1)
    assert json.dumps(control(smsc.control_port, stats=True))
