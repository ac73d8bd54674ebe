"""Institutions ask for codes by the API, follow them, and use what they were allotted."""

import threading
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.served import ASHA, Served, now
from ussdapp.core.codes import CodeKind, CodeStatus

PATH = "/api/v1/codes"
BODY = {"kind": "sender_id", "value": "MALIASILI", "purpose": "Taarifa za utalii"}


def ask(world: Served, by: str = "ega-live", key: str = "", **changes: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return world.ask("POST", PATH, by, json={**BODY, **changes}, headers=headers)


def faults(answer: TestResponse) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.data
    return [(one["field"], one["code"]) for one in answer.get_json()["errors"]]


def test_a_request_is_followed_from_its_conditions_to_its_end(world: Served) -> None:
    asked = ask(world).get_json()
    assert (asked["status"], asked["missing"], asked["secret"]) == (
        "requested", ["letter", "contact", "sample"], None,
    )  # fmt: skip
    number = world.gateway.codes.ids.read(asked["id"])
    assert number
    for condition in asked["missing"]:
        world.gateway.codes.kept.meet(number, condition, "EGA/1", "test", now())
    shown = world.ask("GET", f"{PATH}/{asked['id']}").get_json()
    assert (shown["status"], shown["missing"], shown["late"]) == ("conditions_met", [], False)
    assert shown["due_at"] > shown["conditions"][0]["met_at"]
    world.gateway.codes.kept.decide(number, CodeStatus.REFUSED, "Jina si lenu.", "test", now())
    (listed,) = world.ask("GET", f"{PATH}?status=refused").get_json()["codes"]
    assert (listed["id"], listed["reason"]) == (asked["id"], "Jina si lenu.")
    assert world.ask("GET", f"{PATH}?kind=keyword").get_json() == {"codes": []}


def test_a_request_that_nobody_decides_in_time_is_shown_as_late(world: Served) -> None:
    asked = ask(world).get_json()
    number = world.gateway.codes.ids.read(asked["id"])
    assert number
    for condition in asked["missing"]:
        code = world.gateway.codes.kept.meet(number, condition, "", "test", now())
    assert code.due_at
    world.gateway.codes.escalate(code.due_at)
    shown = world.ask("GET", f"{PATH}?status=late").get_json()["codes"]
    assert [(one["id"], one["late"]) for one in shown] == [(asked["id"], True)]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"value": "INFO"}, ("value", "generic")),
        ({"value": "TOOLONGNAME1"}, ("value", "shape")),
        ({"kind": "keyword", "value": "HALI", "url": "https://a.go.tz/"}, ("value", "reserved")),
        ({"kind": "keyword", "value": "LUKU", "url": "https://a.go.tz/"}, ("value", "taken")),
        ({"kind": "keyword", "value": "WCF"}, ("url", "required")),
        ({"kind": "keyword", "value": "WCF", "url": "ftp://a.go.tz/"}, ("url", "forbidden")),
        ({"kind": "keyword", "value": "WCF", "url": "http://169.254.1.1/"}, ("url", "forbidden")),
        ({"url": "https://a.go.tz/"}, ("url", "unknown")),
        ({"kind": "service_code", "value": "*152*00*1#"}, ("value", "taken")),
        ({"kind": "service_code", "value": "luku"}, ("value", "taken")),
        ({"value": "NIDA"}, ("value", "taken")),
        ({"kind": "domain"}, ("kind", "unknown")),
        ({"purpose": " "}, ("purpose", "required")),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_with_its_field(
    world: Served, changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert faults(ask(world, **changes)) == [fault]
    assert world.gateway.codes.kept.of() == []


def test_the_same_key_gives_the_same_request_however_many_come_at_once(world: Served) -> None:
    body = {"kind": "keyword", "value": "WCF", "url": "http://127.0.0.1:9/wcf"}
    answers: list[TestResponse] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(world, key="one", **body)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert answers[0].get_json()["secret"]
    shown = world.ask("GET", f"{PATH}/{answers[0].get_json()['id']}").get_json()
    assert "secret" not in shown
    assert ask(world, key="one").status_code == 409
    assert len(world.gateway.codes.kept.of()) == 1


def test_the_other_institution_is_told_that_it_reads_like_one_that_is_held(world: Served) -> None:
    ask(world)
    answer = ask(world, "gepg-live", value="MALIASlLI")
    assert faults(answer) == [("value", "look_alike")]
    assert "MALIASILI" in answer.get_json()["errors"][0]["message"]
    assert world.ask("GET", PATH, "gepg-live").get_json() == {"codes": []}


def test_a_test_key_asks_apart(world: Served) -> None:
    asked = ask(world, "ega-test").get_json()
    assert world.ask("GET", f"{PATH}/{asked['id']}", "ega-live").status_code == 404
    assert world.ask("GET", f"{PATH}/{asked['id']}", "ega-test").status_code == 200
    assert ask(world, "gepg-live").status_code == 201


def test_an_allotted_sender_id_works_for_all_that_is_sent_and_a_revoked_one_does_not(
    world: Served,
) -> None:
    def sent() -> set[int]:
        one = {"to": ASHA, "text": "Habari", "sender_id": "MALIASILI"}
        many: dict[str, Any] = {"name": "x", "text": "Habari", "sender_id": "MALIASILI"}
        many["recipients"] = [{"to": ASHA}]
        # a key is asked for again within five seconds: here each time
        world.gateway.keys._known.clear()
        return {
            world.ask("POST", "/api/v1/notifications", json=one).status_code,
            world.ask("POST", "/api/v1/bulks", json=many).status_code,
        }

    assert sent() == {422}
    code = world.allot("ega", "MALIASILI")
    assert sent() == {202}
    world.gateway.codes.kept.decide(code.id, CodeStatus.REVOKED, "Imeisha.", "test", now())
    assert sent() == {422}


def test_a_sender_id_that_is_not_allotted_is_refused_alike_everywhere(world: Served) -> None:
    world.allot("gepg", "MALIPO GEPG")
    one: dict[str, Any] = {"to": ASHA, "text": "Habari", "sender_id": "MALIPO GEPG"}
    many: dict[str, Any] = {"name": "x", "text": "Habari", "sender_id": "MALIPO GEPG"}
    many["recipients"] = [{"to": ASHA}]
    for path, body in (("notifications", one), ("bulks", many)):
        answer = world.ask("POST", f"/api/v1/{path}", json=body)
        assert ("sender_id", "not_allotted") in faults(answer), path


def test_a_keyword_and_a_branch_can_be_had(world: Served) -> None:
    for kind, value in ((CodeKind.KEYWORD, "WCF"), (CodeKind.SERVICE_CODE, "*152*00*34#")):
        assert world.allot("ega", value, kind).standing == "allotted"
