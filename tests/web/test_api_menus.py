"""An institution publishes its own branch by HTTP, and of every other it is told there is none."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes.versions import Publishing
from tests.fakes.web import NOW
from ussdapp.core.branches import MAIN, Publisher
from ussdapp.core.inbound import KeyHolder
from ussdapp.ports import Unavailable
from ussdapp.usecases.publish_menu import PublishMenu
from ussdapp.web import create_app

SCOPES = {
    "ega-key": ("ega", True, "menus:publish"),
    "gepg-key": ("gepg", True, "menus:publish"),
    "test-key": ("ega", False, "menus:publish"),
    "poor-key": ("ega", True, "cases:reply"),
}
EGA = "/api/v1/menus/ega"
GOOD = {"files": {"huduma.toml": "good"}}
BROKEN = {"files": {"huduma.toml": "broken", "fine.toml": "good"}}


@dataclass
class Gateway:
    """What these routes need of a gateway."""

    world: Publishing = field(default_factory=Publishing)

    @property
    def publish_menu(self) -> PublishMenu:
        return self.world.publish

    def holder(self, key: str, at: datetime) -> KeyHolder | None:
        if key not in SCOPES:
            return None
        institution, live, scope = SCOPES[key]
        return KeyHolder(list(SCOPES).index(key), institution, live, frozenset({scope}))


@dataclass
class Caller:
    """A system of an institution."""

    gateway: Gateway = field(default_factory=Gateway)
    key: str = "ega-key"

    @property
    def web(self) -> FlaskClient:
        return create_app(self.gateway, lambda: NOW).test_client()  # type: ignore[arg-type]

    def put(self, body: Any = GOOD, path: str = EGA) -> TestResponse:
        return self.web.put(path, json=body, headers=self.headers)

    def get(self, path: str) -> TestResponse:
        return self.web.get(path, headers=self.headers)

    def post(self, path: str, body: Any = None) -> TestResponse:
        if body is None:
            return self.web.post(path, headers=self.headers)
        return self.web.post(path, json=body, headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def problem(answer: TestResponse) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = json.loads(answer.data)
    assert document["status"] == answer.status_code
    return dict(document)


def test_a_branch_is_published_and_answered_with_its_version() -> None:
    ega = Caller()
    answer = ega.put()
    assert answer.status_code == 201
    assert answer.json == {"branch": "ega", "version": 1, "published_at": "2026-03-02T07:15:09Z"}
    assert ega.gateway.world.standing() == {"ega": GOOD["files"]}


def test_the_same_files_again_are_answered_with_the_same_bytes() -> None:
    ega = Caller()
    assert len({ega.put().data for _ in range(3)}) == 1


def test_every_sentence_of_the_proof_is_told_with_its_file() -> None:
    ega = Caller()
    document = problem(ega.put(BROKEN))
    assert document["status"] == 422
    assert document["errors"] == [
        {"field": "huduma.toml", "code": "menu", "message": "ega/huduma.toml [a]: it is broken"}
    ]
    assert ega.gateway.world.standing() == {}


@pytest.mark.parametrize("branch", ["gepg", MAIN, "nobody", "EGA", "..", "%2e%2e", "ega%2Fx"])
def test_another_branch_main_and_none_are_one_404(branch: str) -> None:
    gateway = Gateway()
    Caller(gateway, "gepg-key").put(path="/api/v1/menus/gepg")
    ega = Caller(gateway)
    path = f"/api/v1/menus/{branch}"
    answers = [ega.put(path=path), ega.put(BROKEN, path), ega.get(f"{path}/versions"),
               ega.post(f"{path}/rollback")]  # fmt: skip
    assert {problem(answer)["status"] for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
    assert gateway.world.standing() == {"gepg": GOOD["files"]}


def test_a_key_without_the_scope_is_forbidden() -> None:
    assert problem(Caller(key="poor-key").put())["status"] == 403


def test_without_a_key_there_is_a_401() -> None:
    assert problem(Caller(key="wrong").put())["status"] == 401


def test_a_test_key_proves_and_publishes_nothing() -> None:
    ega = Caller(key="test-key")
    answer = ega.put()
    assert (answer.status_code, answer.json) == (
        200,
        {"branch": "ega", "version": None, "published_at": None},
    )
    assert problem(ega.put(BROKEN))["status"] == 422
    assert ega.gateway.world.versions.kept == []


def test_a_test_key_proves_a_rollback_and_moves_nothing() -> None:
    ega = Caller()
    ega.put()
    ega.put({"files": {"huduma.toml": "better"}})
    trying = Caller(ega.gateway, "test-key")
    answer = trying.post(f"{EGA}/rollback")
    assert answer.json == {"branch": "ega", "version": None, "published_at": None}
    assert problem(trying.post(f"{EGA}/rollback", {"to": 99}))["status"] == 409
    body = ega.get(f"{EGA}/versions").json
    assert body
    assert [one["current"] for one in body["versions"]] == [True, False]


def test_versions_are_listed_the_newest_first_and_without_another_institutions() -> None:
    gateway = Gateway()
    Caller(gateway, "gepg-key").put(path="/api/v1/menus/gepg")
    ega = Caller(gateway)
    ega.put()
    ega.put({"files": {"huduma.toml": "better"}})
    body = ega.get(f"{EGA}/versions").json
    assert body
    assert [(one["version"], one["current"]) for one in body["versions"]] == [(3, True), (2, False)]
    assert {one["published_by"] for one in body["versions"]} == {"ega, key 0"}


def test_a_rollback_is_answered_with_what_stands_then() -> None:
    ega = Caller()
    ega.put()
    ega.put({"files": {"huduma.toml": "worse"}})
    first = ega.post(f"{EGA}/rollback")
    assert first.json
    assert (first.status_code, first.json["version"]) == (200, 1)
    named = ega.post(f"{EGA}/rollback", {"to": 2})
    assert named.json
    assert named.json["version"] == 2
    own = ega.post(f"{EGA}/rollback", {"to": 0})
    assert own.json == {"branch": "ega", "version": 0, "published_at": None}


def test_there_is_nothing_to_go_back_to_before_the_first() -> None:
    ega = Caller()
    assert problem(ega.post(f"{EGA}/rollback"))["status"] == 409
    assert problem(ega.post(f"{EGA}/rollback", {"to": 99}))["status"] == 409


@pytest.mark.parametrize(
    "body", [{"to": "1"}, {"to": True}, {"to": -1}, {"to": 2**63}, {"to": 1.5}, {"x": 1}, [1]]
)
def test_a_rollback_that_cannot_be_read_is_a_422(body: Any) -> None:
    assert problem(Caller().post(f"{EGA}/rollback", body))["status"] == 422


@pytest.mark.parametrize(
    "body",
    [{}, [], {"files": []}, {"files": {}}, {"files": {"a.toml": 5}}, {"files": None},
     {**GOOD, "x": 1}, {"files": {"../a.toml": ""}}, {"files": {"sms.toml": ""}},
     {"files": {f"f{n}.toml": "" for n in range(51)}}, {"files": {"a.toml": "x" * 262_145}}],
    ids=["nothing", "a list", "files a list", "no file", "a number", "null", "more", "above",
         "the SMS texts", "too many", "too large"],
)  # fmt: skip
def test_what_cannot_be_a_branch_is_a_422(body: Any) -> None:
    ega = Caller()
    assert problem(ega.put(body))["status"] == 422
    assert ega.gateway.world.versions.kept == []


def test_a_lone_surrogate_is_refused_and_not_a_defect() -> None:
    raw = b'{"files": {"a.toml": "\\ud800", "\\ud800.toml": ""}}'
    ega = Caller()
    answer = ega.web.put(EGA, data=raw, content_type="application/json", headers=ega.headers)
    assert {error["code"] for error in problem(answer)["errors"]} == {"characters", "name"}


def test_the_largest_branch_is_taken_and_what_is_beyond_all_reason_is_a_413() -> None:
    ega = Caller()
    assert ega.put({"files": {"a.toml": "x" * 262_144}}).status_code == 201
    assert problem(ega.put({"files": {"a.toml": "x" * 2_000_000}}))["status"] == 413


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"files": {}, "files": {}}', b"[" * 60_000])
def test_what_is_no_json_is_a_400(raw: bytes) -> None:
    ega = Caller()
    answer = ega.web.put(EGA, data=raw, content_type="application/json", headers=ega.headers)
    assert problem(answer)["status"] == 400


def test_another_content_type_is_a_415() -> None:
    ega = Caller()
    assert problem(ega.web.put(EGA, data={"a": "x"}, headers=ega.headers))["status"] == 415


def test_what_was_not_kept_is_a_503() -> None:
    ega = Caller()

    def down() -> None:
        raise Unavailable("versions")

    ega.gateway.world.versions.rivals = [down]
    assert problem(ega.put())["status"] == 503


def test_the_gateways_staff_are_no_key_holder() -> None:
    ega = Caller()
    ega.gateway.world.publish(Publisher("juma"), {MAIN: {"main.toml": "x"}}, NOW)
    assert problem(ega.get(f"/api/v1/menus/{MAIN}/versions"))["status"] == 404
