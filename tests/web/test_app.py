"""What holds for every route: who may use it, what every answer carries, what is logged."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from flask import Response
from flask.testing import FlaskClient

from tests.fakes.web import KEY, NOW, REFERENCE, TOKEN, FakeGateway, fake_gateway
from ussdapp.ports import Unavailable
from ussdapp.web import create_app
from ussdapp.web.permissions import PUBLIC, SANDBOX

MSISDN = "255754000999"
SECRETS = (MSISDN, "0754000999", "754000999", "neno-la-siri", "jina-la-siri", TOKEN, KEY,
           "0" * 31 + "7", REFERENCE.digits)  # fmt: skip


def client(gateway: FakeGateway) -> FlaskClient:
    return create_app(gateway, lambda: NOW).test_client()  # type: ignore[arg-type]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that structlog and the standard library log, as text."""
    written = io.StringIO()
    root = logging.StreamHandler(written)
    logging.getLogger().addHandler(root)
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    yield written
    structlog.reset_defaults()
    logging.getLogger().removeHandler(root)


def test_every_route_declares_who_may_use_it() -> None:
    app = create_app(fake_gateway(), lambda: NOW)  # type: ignore[arg-type]
    for rule in app.url_map.iter_rules():
        declared = getattr(app.view_functions[rule.endpoint], "permission", "")
        assert declared in {PUBLIC, SANDBOX} or declared.startswith("scope:"), rule.rule


def test_a_route_that_declares_nothing_is_nobodys() -> None:
    app = create_app(fake_gateway(), lambda: NOW)  # type: ignore[arg-type]
    app.add_url_rule("/forgotten", "forgotten", lambda: Response("open"))
    assert app.test_client().get("/forgotten").status_code == 404


def test_the_process_lives_even_when_it_cannot_serve() -> None:
    gateway = fake_gateway()
    gateway.missing = ["postgresql"]
    assert client(gateway).get("/healthz").status_code == 200


def test_readiness_names_what_is_missing() -> None:
    gateway = fake_gateway()
    assert client(gateway).get("/readyz").json == {"status": "ready"}
    gateway.missing = ["postgresql", "redis"]
    answer = client(gateway).get("/readyz")
    assert answer.status_code == 503
    assert answer.json
    assert answer.json["missing"] == ["postgresql", "redis"]


@pytest.mark.parametrize("path", ["/healthz", "/nothing", f"/in/at/{TOKEN}/ussd", "/api/v1/x"])
def test_every_answer_is_guarded(path: str) -> None:
    answer = client(fake_gateway()).post(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not {"Server", "Set-Cookie", "X-Powered-By"} & set(answer.headers.keys())


def test_a_request_is_one_event_of_rule_status_and_milliseconds(log: io.StringIO) -> None:
    client(fake_gateway()).post(f"/in/at/{TOKEN}/receipt", data={"id": "x", "status": "Sent"})
    (line,) = log.getvalue().splitlines()
    event = json.loads(line)
    assert set(event) == {"event", "rule", "method", "status", "ms"}
    assert (event["event"], event["rule"]) == ("request.answered", "/in/<channel>/<token>/<what>")


@pytest.mark.parametrize(
    "trouble",
    [None, Unavailable(f"{MSISDN} neno-la-siri"), ZeroDivisionError(f"{MSISDN} neno-la-siri")],
    ids=["in peace", "when down", "in a defect"],
)
def test_nothing_anybody_sent_reaches_the_log(
    log: io.StringIO, trouble: Exception | None, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway = fake_gateway()
    gateway.trouble = trouble
    web = client(gateway)
    form = {
        "sessionId": "jina-la-siri", "phoneNumber": f"+{MSISDN}", "from": f"+{MSISDN}",
        "id": "jina-la-siri", "text": f"neno-la-siri {MSISDN}", "senderId": "jina-la-siri",
        "status": "jina-la-siri", "serviceCode": "jina-la-siri", "to": "jina-la-siri",
    }  # fmt: skip
    keyed = {"Authorization": f"Bearer {KEY}", "X-Secret": "neno-la-siri"}
    for what in ("ussd", "ussd-end", "sms", "receipt", "optout", "jina-la-siri"):
        for token in (TOKEN, "0" * 31 + "7"):
            for data in (form, {}, {"sessionId": f"{MSISDN} \x00"}):
                web.post(f"/in/at/{token}/{what}?q={MSISDN}", data=data, headers=keyed)
                web.get(f"/in/at/{token}/{what}?q={MSISDN}", headers=keyed)
    for path in (REFERENCE.digits, MSISDN, "jina-la-siri"):
        for body in ({"text": f"neno-la-siri {MSISDN}"}, {"neno-la-siri": 1}, {"text": "\x00"}):
            web.post(f"/api/v1/cases/{path}/replies", json=body, headers=keyed)
            web.open(f"/{path}", method="JINA-LA-SIRI", headers=keyed)
    everything = log.getvalue() + "".join(capfd.readouterr())
    assert everything.count("request.answered") > 80
    assert [secret for secret in SECRETS if secret.lower() in everything.lower()] == []


def test_a_defect_is_logged_by_kind_and_place(log: io.StringIO) -> None:
    gateway = fake_gateway()
    gateway.trouble = ZeroDivisionError()
    client(gateway).post(f"/in/at/{TOKEN}/sms", data={"from": "x"})
    events = [json.loads(line) for line in log.getvalue().splitlines()]
    (failed,) = [event for event in events if event["event"] == "request.failed"]
    assert failed["kind"] == "ZeroDivisionError"
    assert failed["place"].startswith("web.py:")
