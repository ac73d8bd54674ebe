"""Fifty copies of one request at once, over connections of their own, to both web workers: it is
done once, and all are answered alike."""

import base64
import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Mapping

import pytest

from tests.e2e.system import System

COPIES = 50
JUMA = "255754009201"
KEY = "a-key-for-fifty"
LIMIT = "kikomo"


def at_once(
    system: System, path: str, body: bytes, headers: Mapping[str, str]
) -> set[tuple[int, bytes]]:
    """The different answers to as many copies."""
    ready = threading.Barrier(COPIES)
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        link = http.client.HTTPConnection("127.0.0.1", system.port, timeout=30)
        link.connect()
        ready.wait()
        link.request("POST", path, body, dict(headers))
        answer = link.getresponse()
        answers.append((answer.status, answer.read()))
        link.close()

    threads = [threading.Thread(target=post) for _ in range(COPIES)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == COPIES
    return set(answers)


def signed(system: System, body: bytes) -> dict[str, str]:
    mgov = system.demo["mgov"]
    digest = hmac.new(mgov["api_key"].encode(), body, hashlib.sha256).digest()
    return {"hash": base64.b64encode(digest).decode(), "sysId": mgov["sys_id"]}


def kept(system: System, table: str) -> int:
    """How many there are; the rows of bulks come when they are checked, and count for nothing."""
    alone = {"notifications": "WHERE bulk_id IS NULL"}.get(table, "")
    return int(system.query(f"SELECT count(*) FROM {table} {alone}")[0][0])


def fields(name: str) -> dict[str, str]:
    return {"name": name, "text": "Habari ya asubuhi."}


def a_form() -> bytes:
    said = "".join(
        f'--{LIMIT}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields("faili").items()
    )
    said += f'--{LIMIT}\r\nContent-Disposition: form-data; name="file"; filename="w.csv"\r\n\r\n'
    return f"{said}to\n{JUMA}\n\r\n--{LIMIT}--\r\n".encode()


@pytest.fixture
def hasty(system: System) -> dict[str, str]:
    """Headers with a key that may come so often."""
    system.query("UPDATE keys SET per_second = 100000 WHERE name = 'demo' RETURNING id")
    return {"Authorization": f"Bearer {system.demo['api_key']}", "Idempotency-Key": KEY}


JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": f"multipart/form-data; boundary={LIMIT}"}
BODIES = {
    "notifications": (JSON, json.dumps({"to": JUMA, "text": "Moja kati ya hamsini."}).encode()),
    "bulks": (JSON, json.dumps({**fields("watu"), "recipients": [{"to": JUMA}]}).encode()),
    "bulks of a file": (FORM, a_form()),
}


@pytest.mark.parametrize("name", BODIES)
def test_fifty_copies_at_once_are_one_with_fifty_equal_answers(
    system: System, hasty: dict[str, str], name: str
) -> None:
    kind, body = BODIES[name]
    table = name.split(maxsplit=1)[0]
    before = system.query(f"SELECT count(*) FROM {table}")[0][0]
    headers = {**hasty, **kind, "Idempotency-Key": f"{KEY}-{name}"}
    ((status, answer),) = at_once(system, f"/api/v1/{table}", body, headers)
    assert status == 202, answer
    assert kept(system, table) == before + 1


def test_fifty_copies_of_an_mgov_message_at_once_are_one(system: System) -> None:
    body = json.dumps({
        "recipients": JUMA, "message": "Kikao cha hamsini.", "datetime": "2026-11-22 09:00:00",
        "mobileServiceId": system.demo["mgov"]["mobile_service_id"], "senderId": "15200",
        "messageId": "hamsini-1",
    }).encode()  # fmt: skip
    before = kept(system, "notifications")
    ((status, told),) = at_once(
        system, "/gateway/sms/v2/send-sms", body, {**JSON, **signed(system, body)}
    )
    assert (status, json.loads(told)["success"]) == (200, True)
    assert kept(system, "notifications") == before + 1


def test_both_web_workers_serve(system: System) -> None:
    assert len(system.pids("granian")) >= 3  # the two, and who started them
