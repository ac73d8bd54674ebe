"""What the documentation says is so: every route is in it, and its lines run as they stand."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.fakes.owned import a_case_of_ega, ega_has_everything, filled
from tests.fakes.served import Served, listening
from tests.fakes.web import NOW, fake_gateway
from ussdapp.core.keys import SCOPES
from ussdapp.core.reference import Reference
from ussdapp.core.webhook import EVENTS, PING
from ussdapp.web import create_app
from ussdapp.web.api.examples import curls, pythons
from ussdapp.web.api.openapi import document
from ussdapp.web.api.operations import FORM, JSON, Route, routes
from ussdapp.web.api.verified import verified
from ussdapp.web.permissions import permission_of

PUBLIC = {"/api/v1/openapi.json", "/api/docs", "/api/docs.css"}


def app() -> Any:
    return create_app(fake_gateway(), lambda: NOW)  # type: ignore[arg-type]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    if isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_route_of_the_api_is_described() -> None:
    made = app()
    described = {(route.method, route.path) for route in routes(made)}
    wanted = {
        (method, re.sub(r"<(?:[^:<>]+:)?([a-z_]+)>", r"{\1}", rule.rule))
        for rule in made.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.rule not in PUBLIC
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == wanted


def test_the_document_is_whole() -> None:
    told = document(app())
    assert told["openapi"] == "3.1.0"
    schemas = told["components"]["schemas"]
    for reference in references(told):
        assert reference.removeprefix("#/components/schemas/") in schemas
    identities = [
        operation["operationId"] for path in told["paths"].values() for operation in path.values()
    ]
    assert len(set(identities)) == len(identities)
    for path, methods in told["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            assert {"401", "403", "429"} <= set(operation["responses"])
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"\{([a-z_]+)\}", path))


def test_what_webhooks_are_told_is_in_the_document_and_on_the_page() -> None:
    made = app()
    told = document(made)["webhooks"]
    assert set(told) == {*EVENTS, PING}
    page = made.test_client().get("/api/docs").get_data(as_text=True)
    for name in told:
        assert f"<code>{name}</code>" in page
    assert "def verified(" in page


def test_the_page_shows_every_model_that_a_route_takes_or_answers() -> None:
    made = app()
    whole = document(made)
    page = made.test_client().get("/api/docs").get_data(as_text=True)
    shown = {word for head in re.findall(r"<h3>(.*?)</h3>", page) for word in head.split()}
    named = {one.rsplit("/", 1)[-1] for one in references(whole["paths"])}
    for _ in range(3):  # and the models within
        named |= {
            one.rsplit("/", 1)[-1]
            for name in named
            for one in references(whole["components"]["schemas"][name])
        }
    # what problem documents hold is said in words, once for all
    assert named - shown <= {"ProblemDocument", "FieldProblem"}


def test_the_lines_that_verify_a_webhook_take_what_is_signed_and_nothing_else() -> None:
    secret, headers, body = "whsec_" + "QUJD" * 8, {"Webhook-Id": "msg_1"}, b'{"type": "ping"}'
    at = datetime.now(UTC)
    headers["Webhook-Timestamp"] = str(int(at.timestamp()))
    headers["Webhook-Signature"] = "v1,x " + Webhook(secret).sign("msg_1", at, body.decode())
    assert verified(body, headers, secret) == {"type": "ping"}
    old = {**headers, "Webhook-Timestamp": str(int(at.timestamp()) - 301)}
    for changed in ((body + b" ", headers, secret), (body, old, secret),
                    (body, headers, "whsec_" + "QUJE" * 8)):  # fmt: skip
        with pytest.raises(ValueError, match=r"signed|old"):
            verified(*changed)


def test_the_document_and_the_page_need_no_key_and_are_stable() -> None:
    web = app().test_client()
    first, second = (web.get("/api/v1/openapi.json") for _ in range(2))
    assert (first.status_code, first.content_type) == (200, "application/json")
    assert first.data == second.data
    assert json.loads(first.data)["info"]["title"]
    page = web.get("/api/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    text = page.get_data(as_text=True)
    assert "<script" not in text
    assert "used: <code>name@3</code>." in text
    assert not re.search(r"""(?:src|href)=["']?https?://""", text)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for route in routes(app()):
        assert route.path in text


def test_an_example_is_a_body_that_its_model_takes() -> None:
    for route in routes(app()):
        if route.operation.example is not None:
            model = route.operation.bodies["application/json"]
            model.model_validate(dict(route.operation.example))


@dataclass
class Line:
    """Runs lines as an institution would: with what is its own in the path."""

    world: Served
    url: str
    folder: Path
    owned: dict[str, str]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def python(self, route: Route, lines: str) -> tuple[str, str]:
        done = output([sys.executable, "-c", self._ready(route, lines)], self.folder)
        return done[:3], done[4:].strip()

    def curl(self, route: Route, line: str) -> tuple[str, str]:
        words = [*shlex.split(self._ready(route, line)), "-s", "-w", "%{http_code}"]
        done = output(words, self.folder)
        return done[-3:], done[:-3].strip()

    def _ready(self, route: Route, line: str) -> str:
        """Each line has a case that was not handed on, and a bulk that another person approves,
        and the webhook is there."""
        self.owned["/api/v1/cases"] = a_case_of_ega(
            self.world, Reference.numbered(next(self.numbers))
        )
        self.world.gateway.database.run(lambda link: link.execute(WAITING) and None)
        hook = {"url": "https://mfumo.ega.go.tz/simu", "events": ["case.opened"]}
        self.world.ask("PUT", f"/api/v1/webhooks/{self.owned['/api/v1/webhooks']}", json=hook)
        if route.operation.form is not None:
            form = route.operation.form
            (self.folder / form.name).write_text(form.text)
        return line.replace(route.path, filled(route, self.owned))


WAITING = "UPDATE bulks SET status = 'awaiting_approval', author = 'juma@ega.go.tz'"


def test_every_line_of_curl_and_python_runs_as_it_stands(world: Served, tmp_path: Path) -> None:
    key = world.keys["ega-live"]
    with listening(world) as url:
        run = Line(world, url, tmp_path, ega_has_everything(world))
        for route in routes(world.app):
            answers = {str(status) for status in route.operation.answers}
            lines = zip(pythons(route, url, key), curls(route, url, key), strict=True)
            for python, curl in lines:
                status, said = run.python(route, python)
                assert status in answers, (route.path, said)
                if shutil.which("curl"):
                    again, told = run.curl(route, curl)
                    assert again in answers, (route.path, told)
                    # the same key and body from both: the same answer
                    assert said == told or not route.operation.idempotent


def test_every_operation_that_takes_something_has_an_example_of_it() -> None:
    for route in routes(app()):
        said = route.operation
        shown = {JSON: said.example, FORM: said.form}
        assert all(shown[media] for media in said.bodies), (route.method, route.path)


def output(line: list[str], folder: Path) -> str:
    done = subprocess.run(line, capture_output=True, text=True, timeout=30, cwd=folder, check=False)
    return done.stdout or done.stderr


def test_every_scope_that_a_route_needs_can_be_issued() -> None:
    made = app()
    with made.app_context():
        needed = {
            (permission_of(rule.endpoint) or "").removeprefix("scope:")
            for rule in made.url_map.iter_rules()
            if (permission_of(rule.endpoint) or "").startswith("scope:")
        }
    assert needed <= set(SCOPES)
