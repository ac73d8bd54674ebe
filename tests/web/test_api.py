"""What an institution's system calls: strict in, problem documents out."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes.web import CLOSED, KEY, NOW, POOR_KEY, REFERENCE, FakeGateway, fake_gateway
from ussdapp.core.case import CaseStatus
from ussdapp.core.reference import Reference
from ussdapp.ports import Unavailable
from ussdapp.web import create_app

PATH = f"/api/v1/cases/{REFERENCE.digits}/replies"
BEARER = {"Authorization": f"Bearer {KEY}"}


def client(gateway: FakeGateway) -> FlaskClient:
    return create_app(gateway, lambda: NOW).test_client()  # type: ignore[arg-type]


def reply(body: Any, path: str = PATH, gateway: FakeGateway | None = None) -> TestResponse:
    return client(gateway or fake_gateway()).post(path, json=body, headers=BEARER)


def problem(answer: TestResponse) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = json.loads(answer.data)
    assert {"type", "title", "status", "detail"} <= set(document)
    assert document["status"] == answer.status_code
    return dict(document)


def test_an_answer_is_kept_and_the_case_shown() -> None:
    gateway = fake_gateway()
    answer = reply({"text": " Tovuti imerejea. ", "status": "closed"}, gateway=gateway)
    assert answer.status_code == 201
    assert answer.json == {
        "reference": REFERENCE.digits,
        "institution": "ega",
        "kind": "lalamiko",
        "status": "closed",
        "answer": "Tovuti imerejea.",
        "received_at": "2026-03-02T07:15:09Z",
    }
    ((holder, reference, words, status),) = gateway.came
    assert (holder.institution, reference, words) == ("ega", REFERENCE, "Tovuti imerejea.")
    assert status is CaseStatus.CLOSED


def test_an_answer_without_a_status_answers_the_case() -> None:
    answer = reply({"text": "Ndiyo"})
    assert answer.json
    assert answer.json["status"] == "answered"


def test_a_reference_may_be_spelt_as_citizens_see_it() -> None:
    assert reply({"text": "Ndiyo"}, f"/api/v1/cases/{REFERENCE}/replies").status_code == 201


def test_a_repeat_is_answered_with_the_same_bytes() -> None:
    gateway = fake_gateway()
    bodies = {reply({"text": "Ndiyo"}, gateway=gateway).data for _ in range(3)}
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"},
     {"Authorization": KEY}, {"Authorization": f"Bearer {KEY} x"}, {"Authorization": "Bearer "}],
    ids=["none", "wrong", "another scheme", "no scheme", "more behind it", "empty"],
)  # fmt: skip
def test_without_a_good_key_every_answer_is_the_same_401(headers: dict[str, str]) -> None:
    web = client(fake_gateway())
    answer = web.post(PATH, json={"text": "Ndiyo"}, headers=headers)
    assert problem(answer)["status"] == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.data == web.post(PATH, data=b"\xff").data


def test_a_key_without_the_scope_is_forbidden() -> None:
    headers = {"Authorization": f"Bearer {POOR_KEY}"}
    answer = client(fake_gateway()).post(PATH, json={"text": "x"}, headers=headers)
    assert problem(answer)["status"] == 403


def test_anothers_case_no_case_and_no_reference_are_one_404() -> None:
    foreign = Reference.numbered(777).digits
    answers = [reply({"text": "x"}, f"/api/v1/cases/{spelt}/replies") for spelt in (
        foreign, "123456789012", "abc", "%00", "' OR 1=1", "x" * 3000)]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1


def test_a_closed_case_takes_no_reply() -> None:
    path = f"/api/v1/cases/{CLOSED.digits}/replies"
    assert problem(reply({"text": "x"}, path))["status"] == 409


def test_what_was_not_kept_is_a_503() -> None:
    gateway = fake_gateway()
    gateway.trouble = Unavailable()
    answer = reply({"text": "x"}, gateway=gateway)
    assert problem(answer)["status"] == 503
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["text"]),
        ({"text": ""}, ["text"]),
        ({"text": " \n "}, ["text"]),
        ({"text": 5}, ["text"]),
        ({"text": None}, ["text"]),
        ({"text": "x" * 460}, ["text"]),
        ({"text": "a\x00b"}, ["text"]),
        ({"text": "a\x1b[31m"}, ["text"]),
        ({"text": "x", "status": "received"}, ["status"]),
        ({"text": "x", "status": ["closed"]}, ["status"]),
        ({"text": "x", "status": None}, ["status"]),
        ({"text": "x", "msisdn": "255754000123"}, ["msisdn"]),
        ({"text": "x", "255754000123": 1}, ["?"]),
        ({"status": "x", "a": 1}, ["text", "status", "a"]),
    ],
)
def test_each_field_at_fault_is_named(body: dict[str, Any], fields: list[str]) -> None:
    gateway = fake_gateway()
    document = problem(reply(body, gateway=gateway))
    assert document["status"] == 422
    assert [error["field"] for error in document["errors"]] == fields
    assert all({"field", "code", "message"} == set(error) for error in document["errors"])
    assert "255754000123" not in json.dumps(document)
    assert gateway.came == []


def test_the_longest_answer_is_taken() -> None:
    assert reply({"text": "x" * 306}).status_code == 201


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"text": "a", "text": "b"}', b'{"text": NaN}', b"[" * 60_000,
     b'{"text": ' + b"9" * 5000 + b"}", '{"text": "x"}'.encode("utf-16")],
    ids=["empty", "cut", "no UTF-8", "a name twice", "NaN", "deep", "a long number", "UTF-16"],
)  # fmt: skip
def test_what_is_no_json_is_a_400(body: bytes) -> None:
    answer = client(fake_gateway()).post(
        PATH, data=body, content_type="application/json", headers=BEARER
    )
    assert problem(answer)["status"] in (400, 422)


def test_a_lone_surrogate_in_json_is_refused() -> None:
    answer = client(fake_gateway()).post(
        PATH, data=b'{"text": "a\\ud800"}', content_type="application/json", headers=BEARER
    )
    assert problem(answer)["errors"][0]["code"] == "characters"


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    answer = client(fake_gateway()).post(
        PATH, data=body, content_type="application/json", headers=BEARER
    )
    assert problem(answer)["status"] == 422


def test_another_content_type_is_a_415() -> None:
    answer = client(fake_gateway()).post(PATH, data={"text": "x"}, headers=BEARER)
    assert problem(answer)["status"] == 415


def test_a_body_that_is_too_large_is_a_413_that_says_how_much_is_taken() -> None:
    told = problem(reply({"text": "x" * 70_000}))
    assert (told["status"], "65,536 octets" in told["detail"]) == (413, True)


def test_a_wrong_method_names_the_right_one() -> None:
    answer = client(fake_gateway()).get(PATH, headers=BEARER)
    assert problem(answer)["status"] == 405
    assert "POST" in answer.headers["Allow"]


def test_an_unknown_path_is_a_404() -> None:
    assert problem(client(fake_gateway()).get("/api/v1/nothing"))["status"] == 404


def test_a_defect_of_ours_tells_nothing() -> None:
    gateway = fake_gateway()
    gateway.trouble = ZeroDivisionError("255754000999")
    answer = reply({"text": "x"}, gateway=gateway)
    assert problem(answer)["status"] == 500
    assert "000999" not in answer.text
