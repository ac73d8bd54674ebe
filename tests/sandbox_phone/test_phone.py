"""The phone page: sandbox only, strict about what it loads, true about what a handset received."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes.web import NOW, TOKEN, fake_gateway
from ussdapp.core import gsm7
from ussdapp.core.msisdn import Msisdn
from ussdapp.sandbox.phone import inbox as inbox_module
from ussdapp.sandbox.phone.inbox import Inbox, Received
from ussdapp.sandbox.phone.routes import add_phone
from ussdapp.web import create_app
from ussdapp.web.inbound.operators import TAKES
from ussdapp.web.permissions import SANDBOX

STATIC = Path(inbox_module.__file__).parent / "static"
ASHA = Msisdn("255754000001")
JUMA = Msisdn("255754000002")


def client(ledger: Path, *, sandbox: bool = True) -> FlaskClient:
    app = create_app(fake_gateway(sandbox=sandbox), lambda: NOW)  # type: ignore[arg-type]
    add_phone(app, ledger)
    return app.test_client()


def line(text: str, to: Msisdn = ASHA, **more: Any) -> str:
    members = {"at": NOW.isoformat(), "source": "15200", "destination": to.digits, "text": text}
    return json.dumps(members | more) + "\n"


def part(text: str, ref: int, total: int, number: int) -> str:
    return line(text, udh={"ref": ref, "total": total, "part": number})


def whole(text: str, parts: int = 1, total: int = 1) -> Received:
    return Received(NOW.isoformat(), "15200", text, parts, total)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def test_the_page_plays_the_sandbox_channel_with_its_own_token(ledger: Path) -> None:
    page = client(ledger).get("/phone/")
    assert page.status_code == 200
    assert f'data-callbacks="/in/sandbox/{TOKEN}"' in page.text
    assert 'data-service-code="*152*00#"' in page.text


@pytest.mark.parametrize("path", ["/phone/", "/phone/inbox?msisdn=0754000001",
                                  "/phone/static/phone.js"])  # fmt: skip
def test_outside_the_sandbox_there_is_no_phone(ledger: Path, path: str) -> None:
    web = client(ledger, sandbox=False)
    answer = web.get(path)
    assert (answer.status_code, answer.data) == (404, web.get("/nothing").data)


def test_every_route_of_the_phone_is_for_the_sandbox_alone(ledger: Path) -> None:
    app = client(ledger).application
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/phone")]
    assert len(rules) == 3
    for rule in rules:
        assert getattr(app.view_functions[rule.endpoint], "permission", "") == SANDBOX


def test_the_page_loads_nothing_that_its_policy_refuses(ledger: Path) -> None:
    web = client(ledger)
    page = web.get("/phone/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on[a-z]+=|https?://", page.text)
    loaded = re.findall(r'(?:src|href)="(static/[^"]+)"', page.text)
    assert len(loaded) == 3
    for name in loaded:
        assert web.get(f"/phone/{name}").status_code == 200


def test_every_module_that_a_script_imports_is_there(ledger: Path) -> None:
    web = client(ledger)
    for script in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([a-z0-9]+\.js)"', script.read_text("utf-8")):
            answer = web.get(f"/phone/static/{name}")
            assert (answer.status_code, answer.mimetype) == (200, "text/javascript")


def test_the_page_calls_only_what_operators_may_call() -> None:
    script = (STATIC / "aggregator.js").read_text("utf-8")
    called = set(re.findall(r"\$\{(?:this\.)?callbacks\}/([a-z-]+)`", script))
    assert called == {"ussd", "ussd-end", "sms"}
    assert called <= set(TAKES)


def test_the_page_counts_septets_as_the_core_does() -> None:
    script = (STATIC / "gsm7.js").read_text("utf-8")
    basic = re.search(r"BASIC = new Set\((.*?),\n\);", script, re.DOTALL)
    extension = re.search(r"EXTENSION = new Set\((.*?)\);", script)
    assert basic
    assert extension
    characters = "".join(json.loads(text) for text in re.findall(r'"(?:[^"\\]|\\.)*"', basic[1]))
    assert len(set(characters)) == 127  # 128 positions, one of them the escape
    assert {gsm7.septets(char) for char in characters} == {1}
    assert {gsm7.septets(char) for char in json.loads(extension[1])} == {2}
    assert len(json.loads(extension[1])) == 10


@pytest.mark.parametrize("name", ["../page.html", "..%2froutes.py", "%2e%2e/inbox.py", "nothing"])
def test_no_other_file_is_served(ledger: Path, name: str) -> None:
    assert client(ledger).get(f"/phone/static/{name}").status_code == 404


def test_an_inbox_is_asked_for_in_any_spelling(ledger: Path) -> None:
    ledger.write_text(line("Karibu"), "utf-8")
    for spelling in ("0754000001", "%2B255754000001", "255754000001"):
        answer = client(ledger).get(f"/phone/inbox?msisdn={spelling}")
        assert answer.json
        assert answer.json["msisdn"] == "255754000001"
        assert [text["text"] for text in answer.json["texts"]] == ["Karibu"]


@pytest.mark.parametrize("spelling", ["", "15200", "abc", "%00", "%ff"])
def test_an_inbox_of_nobody_is_refused(ledger: Path, spelling: str) -> None:
    answer = client(ledger).get(f"/phone/inbox?msisdn={spelling}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_a_handset_without_texts_is_empty(ledger: Path) -> None:
    assert Inbox(ledger).of(ASHA) == []
    ledger.write_text(line("Kwa Juma", JUMA), "utf-8")
    assert Inbox(ledger).of(ASHA) == []


def test_what_comes_later_is_added_and_nothing_is_shown_twice(ledger: Path) -> None:
    inbox = Inbox(ledger)
    for count in range(1, 4):
        with ledger.open("a", encoding="utf-8") as file:
            file.write(line(f"SMS {count}") + line("Kwa Juma", JUMA))
        assert inbox.of(ASHA) == [whole(f"SMS {number}") for number in range(1, count + 1)]


def test_a_line_that_is_still_being_written_waits(ledger: Path) -> None:
    inbox = Inbox(ledger)
    written = line("Karibu")
    ledger.write_text(written[:40], "utf-8")
    assert inbox.of(ASHA) == []
    ledger.write_text(written, "utf-8")
    assert inbox.of(ASHA) == [whole("Karibu")]


def test_a_ledger_begun_anew_is_read_anew(ledger: Path) -> None:
    inbox = Inbox(ledger)
    ledger.write_text(line("Moja") + line("Mbili"), "utf-8")
    assert len(inbox.of(ASHA)) == 2
    ledger.write_text(line("Tatu"), "utf-8")
    assert inbox.of(ASHA) == [whole("Tatu")]


def test_parts_out_of_order_become_one_text(ledger: Path) -> None:
    lines = part("Pili.", 7, 2, 2) + line("Nyingine") + part("Kwanza. ", 7, 2, 1)
    ledger.write_text(lines, "utf-8")
    assert Inbox(ledger).of(ASHA) == [whole("Kwanza. Pili.", 2, 2), whole("Nyingine")]


def test_a_part_that_is_missing_is_told(ledger: Path) -> None:
    ledger.write_text(part("Kwanza", 7, 3, 1), "utf-8")
    assert Inbox(ledger).of(ASHA) == [whole("Kwanza", 1, 3)]


def test_a_reference_used_again_begins_another_text(ledger: Path) -> None:
    lines = [part(f"{word} {number}. ", 7, 2, number) for word in ("A", "B") for number in (1, 2)]
    ledger.write_text("".join(lines), "utf-8")
    assert Inbox(ledger).of(ASHA) == [whole("A 1. A 2. ", 2, 2), whole("B 1. B 2. ", 2, 2)]


def test_lines_that_cannot_be_read_are_passed_over(ledger: Path) -> None:
    ledger.write_bytes(b'\xff 255754000001\n{"255754000001"\n' + line("Karibu").encode())
    assert Inbox(ledger).of(ASHA) == [whole("Karibu")]


def test_a_text_that_mentions_a_number_is_not_for_it(ledger: Path) -> None:
    ledger.write_text(line("Piga 255754000001", JUMA), "utf-8")
    assert Inbox(ledger).of(ASHA) == []


def test_reading_an_inbox_leaves_the_ledger_alone(ledger: Path) -> None:
    ledger.write_text(line("Karibu"), "utf-8")
    ledger.chmod(stat.S_IRUSR)
    before = ledger.read_bytes()
    Inbox(ledger).of(ASHA)
    assert ledger.read_bytes() == before
