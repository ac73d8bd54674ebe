"""An institution sends single notifications, on real stores: each accepted once, and told of."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from werkzeug.test import TestResponse

from tests.fakes.patience import until
from tests.fakes.served import ASHA, JUMA, Served, listening, now
from ussdapp.core.inbound import Lease
from ussdapp.core.keys import KeyRequest
from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.balance import balance
from ussdapp.web.api.notification_models import (
    NotificationAccepted,
    NotificationPage,
    NotificationShown,
)

PATH = "/api/v1/notifications"
BODY = {"to": ASHA, "text": "Ombi lako limepokelewa."}


def send(
    world: Served, body: Any = None, by: str = "ega-live", key: str | None = None
) -> TestResponse:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return world.ask("POST", PATH, by, json=BODY if body is None else body, headers=headers)


def show(world: Served, number: str, by: str = "ega-live") -> TestResponse:
    return world.ask("GET", f"{PATH}/{number}", by)


def problem(answer: TestResponse) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = json.loads(answer.data)
    assert document["status"] == answer.status_code
    return dict(document)


def test_a_notification_is_kept_queued_before_it_is_answered_and_rung_for(world: Served) -> None:
    answer = send(world, {**BODY, "class": "urgent", "reference": "RT-1"})
    assert answer.status_code == 202
    told = NotificationAccepted.model_validate_json(answer.data)
    assert (told.status, told.to, told.encoding, told.parts, told.reference) == (
        "queued", ASHA, "gsm7", 1, "RT-1",
    )  # fmt: skip
    assert world.query("SELECT status, class, sender_id FROM notifications") == [
        ("queued", "urgent", "15200")
    ]
    until(lambda: bool(world.gateway.redis.exists("rung:sandbox")))
    assert balance(world.gateway.database).holds


def test_what_is_kept_of_it_names_no_one(world: Served) -> None:
    send(world, {**BODY, "reference": "RT-2345"})
    kept = str(world.query("SELECT n, c FROM notifications n, contents c"))
    for secret in (ASHA, "limepokelewa", "RT-2345"):
        assert secret not in kept
        assert secret.encode().hex() not in kept


def test_the_answer_says_what_it_will_take(world: Served) -> None:
    for text, encoding, parts in (
        ("x" * 160, "gsm7", 1), ("x" * 161, "gsm7", 2), ("x" * 1530, "gsm7", 10),
        ("“Ndiyo”", "ucs2", 1), ("ŋ" * 71, "ucs2", 2),
    ):  # fmt: skip
        told = NotificationAccepted.model_validate_json(send(world, {**BODY, "text": text}).data)
        assert (told.encoding, told.parts) == (encoding, parts)


FAULTS: list[tuple[Any, list[str]]] = [
    ({}, ["to", "text"]),
    ({**BODY, "to": "0754000001"}, ["to"]),
    ({**BODY, "to": "+255754000001"}, ["to"]),
    ({**BODY, "to": "255754000001\n"}, ["to"]),
    ({**BODY, "to": "٢٥٥٧٥٤٠٠٠٠٠١"}, ["to"]),
    ({**BODY, "to": 255754000001}, ["to"]),
    ({**BODY, "text": ""}, ["text"]),
    ({**BODY, "text": " \n"}, ["text"]),
    ({**BODY, "text": "a\x07"}, ["text"]),
    ({**BODY, "text": "x" * 1531}, ["text"]),
    ({**BODY, "text": "ŋ" * 671}, ["text"]),
    ({**BODY, "text": "Tuma nywila yako"}, ["text"]),
    ({**BODY, "text": "Lipa tra-bili.com"}, ["text"]),
    ({**BODY, "class": "spam"}, ["class"]),
    ({**BODY, "class": None}, ["class"]),
    ({**BODY, "sender_id": "MALIASILI"}, ["sender_id"]),
    ({**BODY, "reference": ""}, ["reference"]),
    ({**BODY, "reference": "é"}, ["reference"]),
    ({**BODY, "expires_in": 0}, ["expires_in"]),
    ({**BODY, "expires_in": True}, ["expires_in"]),
    ({**BODY, "expires_in": 1.5}, ["expires_in"]),
    ({**BODY, "expires_in": 10**30}, ["expires_in"]),
    ({**BODY, "send_at": "2026-11-22 10:00"}, ["send_at"]),
    ({**BODY, "send_at": "2026-11-22T10:00:00"}, ["send_at"]),
    ({**BODY, "send_at": "9999-11-22T10:00:00Z"}, ["send_at"]),
    ({**BODY, "send_at": "0001-01-01T00:00:00+23:59"}, ["send_at"]),
    ({**BODY, "send_at": 5}, ["send_at"]),
    ({**BODY, "msisdn": ASHA}, ["msisdn"]),
    ({**BODY, ASHA: 1}, ["?"]),
    ({"to": "x", "text": 1, "class": "x", "zz": 1}, ["to", "text", "class", "zz"]),
]


def test_each_field_at_fault_is_named_and_nothing_is_kept(world: Served) -> None:
    for body, fields in FAULTS:
        document = problem(send(world, body))
        assert document["status"] == 422, fields
        assert [error["field"] for error in document["errors"]] == fields
        assert all({"field", "code", "message"} == set(error) for error in document["errors"])
        assert ASHA not in json.dumps(document)
    assert world.query("SELECT count(*) FROM notifications") == [(0,)]


def test_an_idempotency_key_that_is_none_is_refused(world: Served) -> None:
    for key in ("", "x" * 256, "a\x7f"):
        document = problem(send(world, key=key))
        assert document["errors"][0]["field"] == "Idempotency-Key"


def test_the_same_key_and_body_are_answered_with_the_same_bytes(world: Served) -> None:
    first = send(world, key="k" * 255)
    again = world.ask(
        "POST", PATH, data=json.dumps(dict(reversed(BODY.items())), indent=2),
        content_type="application/json", headers={"Idempotency-Key": "k" * 255},
    )  # fmt: skip
    assert (again.status_code, again.data) == (202, first.data)
    assert world.query("SELECT count(*) FROM notifications") == [(1,)]


def test_the_same_key_with_another_body_is_refused(world: Served) -> None:
    send(world, key="k")
    assert problem(send(world, {**BODY, "text": "Nyingine"}, key="k"))["status"] == 409
    assert world.query("SELECT count(*) FROM notifications") == [(1,)]


def test_a_key_is_of_one_institution_and_one_mode(world: Served) -> None:
    ids = {send(world, by=by, key="k").get_json()["id"] for by in world.keys}
    assert len(ids) == len(world.keys)


def test_without_a_key_each_is_another_notification(world: Served) -> None:
    assert send(world).data != send(world).data
    assert world.query("SELECT count(*) FROM notifications") == [(2,)]


def test_fifty_at_once_with_one_key_are_one_notification_and_fifty_equal_answers(
    world: Served,
) -> None:
    headers = {"Authorization": f"Bearer {world.keys['ega-live']}", "Idempotency-Key": "one"}
    with listening(world) as url, ThreadPoolExecutor(50) as pool:
        sent = [
            pool.submit(requests.post, url + PATH, json=BODY, headers=headers, timeout=30)
            for _ in range(50)
        ]
        answers = {(one.result().status_code, one.result().content) for one in sent}
    assert [status for status, _ in answers] == [202]
    assert world.query("SELECT count(*) FROM notifications") == [(1,)]
    assert balance(world.gateway.database).holds


def test_what_is_to_leave_later_is_queued_for_then(world: Served) -> None:
    at = (now() + timedelta(hours=3)).replace(microsecond=0)
    told = send(world, {**BODY, "send_at": at.isoformat(), "expires_in": 60})
    assert told.status_code == 202
    ((due, expires),) = world.query("SELECT due_at, expires_at FROM notifications")
    assert (due, expires) == (at, at + timedelta(seconds=60))
    assert world.query("SELECT due_at FROM queue") == [(at,)]
    assert world.gateway.journal.due(now()) == []
    assert not world.gateway.redis.exists("rung:sandbox")


def test_an_allotted_sender_id_is_taken_and_anothers_is_not(world: Served) -> None:
    world.allot("gepg", "MAJI")
    assert send(world, {**BODY, "sender_id": "MAJI"}, by="gepg-live").status_code == 202
    document = problem(send(world, {**BODY, "sender_id": "MAJI"}, by="ega-live"))
    assert document["errors"][0]["field"] == "sender_id"


@pytest.mark.parametrize(
    ("to", "ends"),
    [("255700000000", "delivered"), ("255700000001", "undelivered"),
     ("255700000002", "rejected"), ("255700000003", "in_doubt")],
)  # fmt: skip
def test_a_simulated_msisdn_reaches_its_state_and_no_operator(
    world: Served, to: str, ends: str
) -> None:
    sent = send(world, {**BODY, "to": to}).get_json()
    assert sent["status"] == "queued"
    assert not world.gateway.redis.exists("rung:sandbox")
    world.settle()
    told = NotificationShown.model_validate_json(show(world, sent["id"]).data)
    assert told.status == ends
    assert told.events[0].status == "queued"
    assert told.events[-1].status == ends
    assert told.why
    lease = world.gateway.leases.take("sandbox", 2, now())
    assert lease
    assert world.gateway.journal.claim(lease, 10, now()) == []
    assert balance(world.gateway.database).holds


def test_a_test_key_runs_everything_and_texts_no_one(world: Served) -> None:
    sent = send(world, by="ega-test").get_json()
    assert world.query("SELECT channel FROM notifications") == [("simulated",)]
    world.settle()
    assert show(world, sent["id"], "ega-test").get_json()["status"] == "delivered"


def test_a_test_key_minds_opt_outs_too(world: Served) -> None:
    sent = send(world, by="ega-test").get_json()
    world.query("""SELECT opt_out(msisdn_index, NULL, NULL, 'sms', now(), now())
        FROM notifications""")
    world.settle()
    told = show(world, sent["id"], "ega-test").get_json()
    assert (told["status"], told["events"][-1]["detail"]) == ("rejected", "opted_out")


def test_a_test_key_sees_nothing_of_what_was_really_sent(world: Served) -> None:
    real, tried = send(world).get_json(), send(world, by="ega-test").get_json()
    assert show(world, real["id"], "ega-test").status_code == 404
    listed = world.ask("GET", PATH, "ega-test").get_json()["notifications"]
    assert [one["id"] for one in listed] == [tried["id"]]


def test_its_history_is_told_in_order(world: Served) -> None:
    sent = send(world, {**BODY, "reference": "RT-9"}).get_json()
    lease = world.gateway.leases.take("sandbox", 1, now())
    assert lease
    assert show(world, sent["id"]).get_json()["status"] == "queued"
    assert claimed(world, lease) == 1
    told = NotificationShown.model_validate_json(show(world, sent["id"]).data)
    assert (told.status, told.reference, told.to, told.klass) == (
        "submitting", "RT-9", ASHA, "transaction",
    )  # fmt: skip
    assert "answer is awaited" in told.why


def claimed(world: Served, lease: Lease) -> int:
    return len(world.gateway.journal.claim(lease, 10, now()))


def test_a_time_that_is_past_is_told_of_and_of_a_repeat_what_was_told_first(
    world: Served,
) -> None:
    def at(seconds: float) -> str:
        return (now() + timedelta(seconds=seconds)).isoformat()

    late = {**BODY, "send_at": at(-3600)}
    first = send(world, late, key="late")
    (note,) = first.get_json()["notes"]
    assert (note["field"], note["code"]) == ("send_at", "past")
    assert send(world, late, key="late").data == first.data
    assert send(world, {**BODY, "send_at": at(3600)}).get_json()["notes"] == []
    # judged by when it was accepted, however late it is repeated
    world.query(
        "UPDATE notifications SET accepted_at = accepted_at - interval '2 hours' RETURNING 1"
    )
    assert send(world, late, key="late").get_json()["notes"] == []


def test_anothers_notification_and_none_are_one_404(world: Served) -> None:
    number = send(world).get_json()["id"]
    forged = number[:-1] + ("a" if number[-1] != "a" else "b")
    answers = [show(world, number, "gepg-live")]
    answers += [show(world, one) for one in ("1", forged, number.upper(), "%00", "x" * 3000)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1


def test_pages_show_each_notification_once_the_newest_first(world: Served) -> None:
    ids = [send(world).get_json()["id"] for _ in range(7)]
    send(world, by="gepg-live")
    seen, cursor = [], ""
    for _ in range(10):
        page = NotificationPage.model_validate_json(
            world.ask("GET", f"{PATH}?limit=3{cursor}").data
        )
        seen += [one.id for one in page.notifications]
        if page.next is None:
            break
        cursor = f"&cursor={page.next}"
    assert seen == ids[::-1]


def test_a_reference_and_a_status_pick(world: Served) -> None:
    one = send(world, {**BODY, "reference": "A"}).get_json()["id"]
    other = send(world, {**BODY, "to": "255700000002", "reference": "A"}).get_json()["id"]
    send(world, {**BODY, "to": JUMA, "reference": "B"})
    send(world, {**BODY, "reference": "A"}, by="gepg-live")
    world.settle()

    def found(query: str) -> list[str]:
        answer = world.ask("GET", f"{PATH}?{query}")
        return [row["id"] for row in answer.get_json()["notifications"]]

    assert found("reference=A") == [other, one]
    assert found("reference=A&status=rejected") == [other]
    assert found("status=rejected") == [other]
    assert found("status=delivered") == []
    assert found("reference=C") == []


def test_a_query_at_fault_is_named(world: Served) -> None:
    for query, field in (
        ("status=sent", "status"), ("limit=0", "limit"), ("limit=x", "limit"),
        ("cursor=abc", "cursor"), ("cursor=" + "x" * 65, "cursor"), ("zz=1", "zz"),
        ("limit=1&limit=2", "limit"), ("reference=", "reference"),
    ):  # fmt: skip
        document = problem(world.ask("GET", f"{PATH}?{query}"))
        assert [error["field"] for error in document["errors"]] == [field]


def test_an_id_is_no_cursor(world: Served) -> None:
    number = send(world).get_json()["id"]
    assert world.ask("GET", f"{PATH}?cursor={number}").status_code == 422


def test_who_comes_too_often_is_told_when_to_come_again(world: Served) -> None:
    world.issue(KeyRequest("ega", "slow", ("notifications:send",), per_second=3), "slow")
    answers = [send(world, by="slow") for _ in range(5)]
    assert [one.status_code for one in answers[:3]] == [202] * 3
    assert problem(answers[4])["status"] == 429
    assert int(answers[4].headers["Retry-After"]) >= 1


def test_a_key_is_refused_from_outside_its_networks(world: Served) -> None:
    request = KeyRequest("ega", "far", ("notifications:send",), networks=("10.1.0.0/16",))
    world.issue(request, "far")
    assert problem(send(world, by="far"))["status"] == 403
    near = world.ask("POST", PATH, "far", json=BODY, environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    assert near.status_code == 202


def test_the_msisdn_that_was_sent_is_the_one_that_is_claimed(world: Served) -> None:
    send(world, {**BODY, "to": JUMA, "text": "Habari"})
    lease = world.gateway.leases.take("sandbox", 1, now())
    assert lease
    (row,) = world.gateway.journal.claim(lease, 10, now())
    assert (row.msisdn, row.text, row.sender_id) == (Msisdn(JUMA), "Habari", "15200")


def test_over_its_quota_it_is_told_which_what_is_left_and_until_when(world: Served) -> None:
    world.query("UPDATE institutions SET quota_day = 2, quota_month = 1 RETURNING 1")
    assert send(world).status_code == 202
    refused = send(world)
    told = refused.get_json()
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert [(one["field"], one["code"]) for one in told["errors"]] == [("quota", "quota_month")]
    assert (told["quota"]["period"], told["quota"]["limit"], told["quota"]["left"]) == (
        "month", 1, 0,
    )  # fmt: skip
    begins = datetime.fromisoformat(told["quota"]["begins"])
    assert 0 < int(refused.headers["Retry-After"]) <= (begins - now()).total_seconds() + 1
    assert send(world, {**BODY, "class": "urgent"}).status_code == 202
    assert send(world, by="ega-test").status_code == 202
