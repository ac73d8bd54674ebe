"""What operators call: always answered in their dialect, whatever they send."""

import io
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes.web import NOW, OLD_TOKEN, SORRY, TOKEN, FakeGateway, Shown, fake_gateway
from ussdapp.core.status import Status
from ussdapp.ports import Unavailable
from ussdapp.web import create_app

USSD = {
    "sessionId": "ATUid_0123456789abcdef0123456789abcdef",
    "phoneNumber": "+255754000123",
    "networkCode": "64004",
    "serviceCode": "*152*00#",
    "text": "1*2",
}
SMS = {
    "date": "2026-03-02 07:15:09",
    "from": "+255754000123",
    "id": "b1a5c3f0-0000-4000-8000-000000000001",
    "text": "LALAMIKO EGA Tovuti haifunguki",
    "to": "15200",
}
RECEIPT = {"id": "ATXid_1", "status": "Success", "phoneNumber": "+255754000123"}
OPT_OUT = {"senderId": "15200", "phoneNumber": "+255754000123"}
FORMS = {"ussd": USSD, "ussd-end": USSD, "sms": SMS, "receipt": RECEIPT, "optout": OPT_OUT}
HOSTILE = {
    "ten kilobytes": b"x" * 10_000,
    "NUL": b"a\x00b",
    "control characters": bytes(range(1, 32)),
    "right to left": "\u202eabc\u202d\u200f".encode(),
    "a lone surrogate": b"\xed\xa0\x80",
    "octets that are no UTF-8": b"\xff\xfe\x80",
    "emoji": "😀".encode() * 100,
    "a template": b"{{7*7}}${7*7}",
    "SQL": b"' OR 1=1; DROP TABLE cases; --",
    "CRLF": b"a\r\nSet-Cookie: x=1\r\n\r\n<html>",
    "a path": b"../../etc/passwd",
    "a broken escape": b"%zz%",
}


def client(gateway: FakeGateway) -> FlaskClient:
    return create_app(gateway, lambda: NOW).test_client()  # type: ignore[arg-type]


def post(gateway: FakeGateway, what: str, form: dict[str, str]) -> TestResponse:
    return client(gateway).post(f"/in/at/{TOKEN}/{what}", data=form)


def test_a_keyed_input_is_answered_with_its_screen() -> None:
    gateway = fake_gateway()
    reply = post(gateway, "ussd", USSD)
    assert (reply.status_code, reply.text) == (200, "CON 1. Maji\n2. Umeme")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert gateway.came[0].text == "1*2"


def test_a_last_screen_ends_the_session() -> None:
    gateway = fake_gateway()
    gateway.shows = lambda keyed: Shown("Asante", ends=True)
    assert post(gateway, "ussd", USSD).text == "END Asante"


@pytest.mark.parametrize("lacking", ["sessionId", "phoneNumber"])
def test_a_malformed_dialogue_ends_with_a_polite_sentence(lacking: str) -> None:
    gateway = fake_gateway()
    form = {name: value for name, value in USSD.items() if name != lacking}
    reply = post(gateway, "ussd", form)
    assert (reply.status_code, reply.text) == (200, f"END {SORRY['sw']}")
    assert gateway.came == []


@pytest.mark.parametrize("trouble", [Unavailable(), ZeroDivisionError()], ids=["down", "a defect"])
def test_a_citizen_reads_a_sentence_even_when_we_are_broken(trouble: Exception) -> None:
    gateway = fake_gateway()
    gateway.trouble = trouble
    reply = post(gateway, "ussd", USSD)
    assert (reply.status_code, reply.text) == (200, f"END {SORRY['sw']}")


def test_a_text_a_receipt_and_an_opt_out_reach_the_gateway() -> None:
    gateway = fake_gateway()
    for what in ("sms", "receipt", "optout"):
        reply = post(gateway, what, FORMS[what])
        assert (reply.status_code, reply.data) == (200, b"")
    mo, (receipt,), opt_out = gateway.came
    assert (mo.key, mo.text) == (SMS["id"], SMS["text"])
    assert (receipt.account, receipt.status) == ("at", Status.DELIVERED)
    assert opt_out.sender_id == "15200"


def test_the_end_of_a_session_is_taken_note_of_with_200() -> None:
    assert post(fake_gateway(), "ussd-end", {"status": "Incomplete"}).status_code == 200


def test_a_receipt_with_an_unknown_code_is_taken() -> None:
    gateway = fake_gateway()
    assert post(gateway, "receipt", {"id": "nobody's", "status": "New"}).status_code == 200
    assert gateway.came[0][0].status is Status.IN_DOUBT


@pytest.mark.parametrize("what", ["sms", "receipt", "optout"])
def test_what_was_not_kept_is_asked_for_again(what: str) -> None:
    gateway = fake_gateway()
    gateway.trouble = Unavailable()
    reply = post(gateway, what, FORMS[what])
    assert reply.status_code == 503
    assert reply.headers["Retry-After"]


@pytest.mark.parametrize("what", ["sms", "receipt", "optout"])
def test_what_cannot_be_read_is_a_400_without_its_content(what: str) -> None:
    reply = post(fake_gateway(), what, {"secret": "255754000999"})
    assert reply.status_code == 400
    assert reply.json
    assert reply.json["errors"][0]["code"] == "unreadable"
    assert "000999" not in reply.text


def test_both_tokens_are_good_while_they_rotate() -> None:
    for token in (TOKEN, OLD_TOKEN):
        reply = client(fake_gateway()).post(f"/in/at/{token}/ussd", data=USSD)
        assert reply.text.startswith("CON ")


def test_a_wrong_token_channel_or_purpose_looks_like_any_unknown_path() -> None:
    web = client(fake_gateway())
    unknown = web.post("/nothing/here", data=USSD)
    paths = [
        f"/in/at/{'0' * 32}/ussd", "/in/at/x/ussd", f"/in/nobody/{TOKEN}/ussd",
        f"/in/mute/{TOKEN}/ussd", f"/in/at/{TOKEN}/nothing", "/in/at/%ff%fe/ussd",
        f"/in/at/{TOKEN}/ussd/more", f"/in//at/{TOKEN}/ussd", "/in/at/ü/sms",
    ]  # fmt: skip
    for path in paths:
        reply = web.post(path, data=USSD)
        assert (reply.status_code, reply.data) == (404, unknown.data)
        assert dict(reply.headers) == dict(unknown.headers)


def test_a_wrong_method_tells_only_who_knows_the_token() -> None:
    web = client(fake_gateway())
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
        stranger = web.open(f"/in/at/{'0' * 32}/ussd", method=method)
        operator = web.open(f"/in/at/{TOKEN}/ussd", method=method)
        assert (stranger.status_code, operator.status_code) == (404, 405)
        assert operator.headers["Allow"] == "POST"


def test_a_body_larger_than_any_callback_is_refused() -> None:
    gateway = fake_gateway()
    assert post(gateway, "sms", SMS | {"text": "x" * 70_000}).status_code == 413
    assert gateway.came == []


def test_a_chunked_body_is_measured_too() -> None:
    gateway = fake_gateway()
    body = urlencode(SMS | {"text": "x" * 70_000}).encode()
    reply = client(gateway).post(
        f"/in/at/{TOKEN}/sms",
        input_stream=io.BytesIO(body),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (reply.status_code, gateway.came) == (413, [])


@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("what", FORMS)
def test_hostile_fields_never_break_anything(what: str, octets: bytes) -> None:
    for field in FORMS[what]:
        gateway = fake_gateway()
        body = encoded(FORMS[what], field, octets)
        reply = client(gateway).post(
            f"/in/at/{TOKEN}/{what}", data=body, content_type="application/x-www-form-urlencoded"
        )
        assert reply.status_code in (200, 400)
        assert "Set-Cookie" not in reply.headers
        if what == "ussd":
            assert (reply.status_code, reply.text[:4]) in [(200, "CON "), (200, "END ")]
        for came in gateway.came:
            assert_storable(came)


def encoded(form: dict[str, str], hostile: str, octets: bytes) -> bytes:
    pairs = ((name, octets if name == hostile else value.encode()) for name, value in form.items())
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs).encode()


def assert_storable(came: Any) -> None:
    """No lone surrogate anywhere, and no NUL outside a citizen's own words."""
    for one in came if isinstance(came, list) else [came]:
        names = type(one).__slots__
        values = {name: getattr(one, name) for name in names if isinstance(getattr(one, name), str)}
        for name, value in values.items():
            value.encode("utf-8")
            assert name == "text" or "\0" not in value


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"text": "x"}'),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("multipart/form-data", b""),
        ("application/x-www-form-urlencoded", b"\xff\xfe=\x00&&&==%"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(500))),
        ("text/plain; charset=utf-16", "text".encode("utf-16")),
    ],
)
@pytest.mark.parametrize("what", FORMS)
def test_a_body_of_another_kind_never_breaks_anything(
    what: str, content_type: str, body: bytes
) -> None:
    reply = client(fake_gateway()).post(
        f"/in/at/{TOKEN}/{what}", data=body, content_type=content_type
    )
    assert reply.status_code in (200, 400)
    if what == "ussd":
        assert (reply.status_code, reply.text) == (200, f"END {SORRY['sw']}")


def test_a_screen_that_echoes_hostile_words_stays_plain_text() -> None:
    gateway = fake_gateway()
    gateway.shows = lambda keyed: Shown(f"Umeandika {keyed.text}\ud800", ends=False)
    reply = post(gateway, "ussd", USSD | {"text": "<script>alert(1)</script>"})
    assert reply.text == "CON Umeandika <script>alert(1)</script>?"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.mimetype == "text/plain"
