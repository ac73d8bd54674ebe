"""An institution's system sends by the API and by the mGov API it already speaks, and the handset
gets it; what is simulated no handset gets."""

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.e2e.system import System
from tests.fakes.patience import until

ASHA = "255754009101"
JUMA = "255754009102"
HALIMA = "255754009103"
ENDS = {
    "255700000000": "delivered", "255700000001": "undelivered", "255700000002": "rejected",
    "255700000003": "in_doubt",
}  # fmt: skip


def ask(system: System, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {system.demo['api_key']}", **headers}
    if body is None:
        answer = system.call(f"/api/v1/notifications{path}", **bearer)
    else:
        kind = {"Content-Type": "application/json"}
        octets = json.dumps(body).encode()
        answer = system.call(f"/api/v1/notifications{path}", octets, **bearer, **kind)
    assert answer.status in (200, 202), answer
    return dict(json.loads(answer.text))


def test_a_notification_reaches_the_handset_once_and_its_history_is_told(system: System) -> None:
    body = {"to": ASHA, "text": "Bili yako ni TZS 12,000.", "class": "urgent", "reference": "B-1"}
    first, again = (ask(system, "", body, **{"Idempotency-Key": "e2e-1"}) for _ in range(2))
    assert first == again
    until(lambda: ask(system, f"/{first['id']}")["status"] == "delivered")
    told = ask(system, f"/{first['id']}")
    assert [event["status"] for event in told["events"]] == [
        "queued", "submitting", "submitted", "delivered",
    ]  # fmt: skip
    assert system.ledger(ASHA) == ["Bili yako ni TZS 12,000."]
    (listed,) = ask(system, "?reference=B-1")["notifications"]
    assert (listed["id"], listed["status"]) == (first["id"], "delivered")


def test_a_text_for_an_institutions_own_keyword_is_answered_by_the_institution(
    system: System,
) -> None:
    for _ in range(2):
        assert system.sms("e2e-keyword-1", HALIMA, "Ega madai yangu").status == 200
    (said,) = until(lambda: system.ledger(HALIMA))
    assert said.startswith('e-GA: Tumepokea ujumbe wako "Ega madai yangu". Kumbukumbu ')


def test_simulated_msisdns_reach_their_states_and_no_handset(system: System) -> None:
    sent = {to: ask(system, "", {"to": to, "text": "Habari"})["id"] for to in ENDS}
    for to, number in sent.items():
        until(lambda number=number, to=to: ask(system, f"/{number}")["status"] == ENDS[to])
        assert system.ledger(to) == []


def test_an_mgov_client_changes_its_host_alone(system: System) -> None:
    mgov = system.demo["mgov"]
    octets = json.dumps({
        "recipients": f"{JUMA}, {ASHA}", "message": "Kikao ni saa nne.",
        "datetime": "2026-11-22 09:00:00", "mobileServiceId": mgov["mobile_service_id"],
        "senderId": "15200", "messageId": "e2e-mgov-1",
    }).encode()  # fmt: skip
    signed = hmac.new(mgov["api_key"].encode(), octets, hashlib.sha256).digest()
    headers = {"hash": base64.b64encode(signed).decode(), "sysId": mgov["sys_id"]}
    for _ in range(2):
        answer = system.call(
            "/gateway/sms/v2/send-sms", octets, **headers, **{"Content-Type": "application/json"}
        )
        assert (answer.status, json.loads(answer.text)) == (200, {"success": True})
    until(lambda: system.ledger(JUMA) == ["Kikao ni saa nne."])
    until(lambda: system.ledger(ASHA)[-1:] == ["Kikao ni saa nne."])
