import http.client
import json
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE
from ussdapp.core import gsm7
from ussdapp.core.screen_text import width
from ussdapp.sandbox import back_office_table
from ussdapp.sandbox.back_office_answers import look_up, read_offices, widths
from ussdapp.sandbox.back_office_knobs import GARBAGE

ROOT = Path(__file__).parents[2]
OFFICES = read_offices()
LOOKUPS = [name for name, office in OFFICES.items() if office.kind == "lookup"]
SECRET = "a secret of the sandbox"


class Process:
    """The sandbox's back offices as `make run` has them: a process of their own."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.journal = folder / "summaries.jsonl"
        self._program = subprocess.Popen(
            [sys.executable, "-m", "ussdapp.sandbox.back_office", f"--port={self.port}",
             f"--journal={self.journal}", *options],
            cwd=ROOT,
        )  # fmt: skip
        self._await()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wire.request(method, path, body or None, named)
        with wire.getresponse() as response:
            return response.status, response.read()

    def post(self, path: str, told: object, **headers: str) -> dict:
        body = json.dumps(told).encode()
        status, said = self.ask("POST", path, body, Content_Type="application/json", **headers)
        assert status == 200
        return json.loads(said)

    def end(self) -> int:
        self._program.send_signal(signal.SIGTERM)
        return self._program.wait(PATIENCE)

    def _await(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("GET", "/asked")
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return


@pytest.fixture
def process(tmp_path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    made.end()


def test_it_answers_until_it_is_told_to_end(tmp_path):
    process = Process(tmp_path)
    assert process.post("/gepg.bill", {"data": "994550451254"})["success"] is True
    assert process.end() == 0


def test_only_its_owner_reads_the_journal_of_summaries(process):
    request = {"X_Request_Id": "id-1", "Accept_Language": "en"}
    told = {"taasisi": "tra", "msisdn": "255754000001"}
    first = process.post("/gms.request", told, **request)
    again = process.post("/gms.request", told, **request)
    assert first == again
    assert re.search(r"Reference \d{8}\.", first["sms_text"])
    lines = [json.loads(line) for line in process.journal.read_text().splitlines()]
    assert [line["again"] for line in lines] == [False, True]
    assert stat.S_IMODE(process.journal.stat().st_mode) == 0o600


def test_a_request_can_be_asked_for_by_the_digits_its_sms_gave(process):
    text = process.post("/domain.request", {"kikoa": "x"}, X_Request_Id="id-2")["sms_text"]
    digits = re.search(r"\d{8}", text)
    assert digits
    assert process.post("/gisp.request_status", {"data": digits[0]})["detail_01"] == "Limepokelewa"


def test_a_wrong_signature_is_refused_where_there_is_a_secret(tmp_path):
    process = Process(tmp_path, f"--secret={SECRET}")
    status, _ = process.ask("GET", "/gepg.bill?data=994550451254", hash="AAAA")
    process.end()
    assert status == 401


def test_a_first_hit_with_the_dialled_code_starts_the_application(process):
    _, said = process.ask("GET", "/demo.app?msisdn=255754000001&sessionid=9&input=*152*00%23")
    assert json.loads(said)["header_type"] == "2"
    assert json.loads(said)["options"]["1"] == "Weka miadi"


@pytest.mark.parametrize("garbage", GARBAGE)
def test_every_knob_of_garbage_says_what_it_says(process, garbage):
    process.post("/knobs", {"office": "gepg.bill", "garbage": garbage})
    _, said = process.ask("GET", "/gepg.bill?data=994550451254")
    assert said == GARBAGE[garbage]
    _, other = process.ask("GET", "/luku.meter?data=24730001234")
    assert json.loads(other)["success"] is True


@pytest.mark.parametrize(
    "told", [[1], {"speed": 3}, {"garbage": "soup"}], ids=["list", "?", "soup"]
)
def test_a_knob_that_is_not_there_is_refused(process, told):
    status, _ = process.ask("POST", "/knobs", json.dumps(told).encode())
    assert status == 400


def test_the_page_for_the_authors_of_menus_is_the_one_it_writes():
    page = ROOT / "ussdapp" / "sandbox" / "BACK_OFFICES.md"
    assert page.read_text("utf-8") == back_office_table.table()


def numbers(name: str) -> list[str]:
    """A hundred values that the office takes, and their last digits all there are."""
    example = OFFICES[name].given["example"]
    if not example[-2:].isdecimal():
        return [example]
    return [f"{example[:-2]}{ending:02d}" for ending in range(100)]


@pytest.mark.parametrize("name", LOOKUPS)
def test_no_answer_is_wider_than_the_page_promises_or_forces_another_alphabet(name):
    office, wide = OFFICES[name], widths(OFFICES[name])
    for language in ("sw", "en"):
        for data in numbers(name):
            told = look_up(office, data, language)
            assert told == look_up(office, f" {data.lower()} ", language)
            said = {key: value for key, value in told.items() if isinstance(value, str)}
            assert all(gsm7.strangers(value) == () for value in said.values())
            if told["success"]:
                assert all(width(value) <= wide[key] for key, value in said.items())


@pytest.mark.parametrize("name", LOOKUPS)
def test_the_whole_answer_fits_one_sms(name):
    assert widths(OFFICES[name])["sms"] <= 160


@pytest.mark.parametrize("name", LOOKUPS)
def test_what_does_not_look_like_the_thing_is_not_found(name):
    assert look_up(OFFICES[name], "???", "sw")["success"] is False


@pytest.mark.parametrize(
    ("last", "status", "left"),
    [("1", "Unpaid", None), ("5", "Paid", "TZS 0"), ("6", "Expired", "TZS 0"),
     ("7", "Cancelled", "TZS 0"), ("8", "Part paid", None)],
)  # fmt: skip
def test_the_last_digit_of_a_control_number_decides_how_it_stands(last, status, left):
    told = look_up(OFFICES["gepg.bill"], f"99455045125{last}", "en")
    assert told["detail_01"] == status
    assert left in (None, told["detail_03"])


def test_a_webhook_that_is_pointed_at_the_sandbox_can_be_seen_there(process):
    body = b'{"type": "ping", "data": {"webhook": "<b>"}}'
    status, _ = process.ask("POST", "/webhooks", body, webhook_id="msg_1")
    assert status == 200
    assert b"Hakuna bado" not in process.ask("GET", "/webhooks")[1]
    page = process.ask("GET", "/webhooks")[1].decode()
    assert "webhook-id: msg_1" in page
    assert "<b>" not in page
    (heard,) = json.loads(process.ask("GET", "/webhooks.json")[1])
    assert (heard["webhook-id"], heard["body"]) == ("msg_1", body.decode())
