"""Keys that sign: what was not signed, was changed, is old or comes again is refused unread; and
whose a request is behind a proxy."""

import dataclasses
import io
from ipaddress import ip_network
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.served import Served, now
from ussdapp.core.keys import SCOPES, KeyRequest
from ussdapp.ports import Unavailable
from ussdapp.web.api.docs import SIGNING

SECRET = "the-secret-that-is-never-sent"
PATH = "/api/v1/notifications"
BODY = b'{"to": "255700000000", "text": "Habari"}'
_names: dict[str, Any] = {}
exec(SIGNING, _names)  # what the page shows runs as it stands
signed = _names["signed"]


@pytest.fixture
def world(world: Served) -> Served:
    request = KeyRequest("ega", "signs", tuple(SCOPES), per_second=1000)
    world.gateway.keys.issue(request, "signing-key", now(), SECRET)
    world.keys["signs"] = "signing-key"
    return world


def post(world: Served, headers: dict[str, str], body: bytes = BODY) -> TestResponse:
    return world.ask(
        "POST", PATH, "signs", data=body, headers=headers, content_type="application/json"
    )


def sent(world: Served) -> int:
    return int(world.query("SELECT count(*) FROM notifications")[0][0])


def test_what_was_signed_is_taken(world: Served) -> None:
    assert post(world, signed("POST", PATH, BODY, SECRET)).status_code == 202
    listed = f"{PATH}?reference=Bili%20ya%20maji&limit=5"
    answer = world.ask("GET", listed, "signs", headers=signed("GET", listed, b"", SECRET))
    assert answer.status_code == 200


def test_a_reference_and_its_path_are_signed_as_they_are_sent(world: Served) -> None:
    path = "/api/v1/cases/1234-5678-9018"
    answer = world.ask("GET", path, "signs", headers=signed("GET", path, b"", SECRET))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("POST", PATH, BODY, "another secret"),
        signed("PUT", PATH, BODY, SECRET),
        signed("POST", f"{PATH}?a=1", BODY, SECRET),
        signed("POST", PATH, BODY + b" ", SECRET),
        signed("POST", PATH, BODY, SECRET) | {"Ussdapp-Nonce": "another-nonce-1234"},
        signed("POST", PATH, BODY, SECRET) | {"Ussdapp-Timestamp": "1774000000"},
        signed("POST", PATH, BODY, SECRET) | {"Ussdapp-Signature": "v1="},
        signed("POST", PATH, BODY, SECRET) | {"Ussdapp-Signature": "v1=\xe9"},
        signed("POST", PATH, BODY, SECRET) | {"Ussdapp-Nonce": "short"},
        signed("POST", PATH, BODY, SECRET) | {"Ussdapp-Timestamp": "9" * 400},
    ],
    ids=["nothing", "another secret", "another method", "another query", "another body",
         "another nonce", "another time", "no signature", "no ASCII", "a short nonce",
         "a time without end"],
)  # fmt: skip
def test_what_was_not_signed_is_told_what_a_stranger_is_told(
    world: Served, headers: dict[str, str]
) -> None:
    answer = post(world, headers)
    stranger = world.web.post(PATH, data=BODY, headers={"Authorization": "Bearer nobody"})
    assert (answer.status_code, answer.data) == (401, stranger.data)
    assert sent(world) == 0


def test_it_is_verified_before_anything_is_parsed(world: Served) -> None:
    assert post(world, {}, b"\xff{").status_code == 401
    assert post(world, signed("POST", PATH, b"\xff{", SECRET), b"\xff{").status_code == 400


def headers_at(seconds: int) -> dict[str, str]:
    """Signed by a clock that is so many seconds ahead of ours."""

    class Clock:
        @staticmethod
        def time() -> float:
            return now().timestamp() + seconds

    known = _names["time"]
    _names["time"] = Clock
    try:
        return dict(signed("POST", PATH, BODY, SECRET))
    finally:
        _names["time"] = known


@pytest.mark.parametrize("seconds", [-302, 302, 10**9, 10**12])
def test_an_old_or_future_one_is_refused_and_told_so(world: Served, seconds: int) -> None:
    answer = post(world, headers_at(seconds))
    assert answer.status_code == 401
    told = answer.get_json()
    assert "from our clock" in told["detail"]
    (error,) = told["errors"]
    assert (error["field"], error["code"]) == ("Ussdapp-Timestamp", "clock")


@pytest.mark.parametrize("seconds", [-290, 290])
def test_clocks_may_be_some_minutes_apart(world: Served, seconds: int) -> None:
    assert post(world, headers_at(seconds)).status_code == 202


def test_one_that_comes_again_is_refused_whichever_process_hears_it(world: Served) -> None:
    headers = signed("POST", PATH, BODY, SECRET)
    assert post(world, headers).status_code == 202
    answer = post(world, headers)
    assert answer.status_code == 401
    assert "used before" in answer.get_json()["detail"]
    assert sent(world) == 1


def test_nonces_that_are_of_no_more_use_are_cleared_away(world: Served) -> None:
    post(world, signed("POST", PATH, BODY, SECRET))
    world.query("UPDATE nonces SET seen_at = seen_at - interval '21 minutes' RETURNING 1")
    post(world, signed("POST", PATH, BODY, SECRET))
    assert world.query("SELECT count(*) FROM nonces") == [(1,)]


def test_where_nobody_can_say_whether_it_is_new_it_is_not_taken(world: Served) -> None:
    class Down:
        def is_new(self, *_: object) -> bool:
            raise Unavailable

    world.app.extensions["ussdapp"] = dataclasses.replace(
        world.app.extensions["ussdapp"],
        gateway=dataclasses.replace(world.gateway, nonces=Down()),  # type: ignore[arg-type]
    )
    assert post(world, signed("POST", PATH, BODY, SECRET)).status_code == 503
    assert sent(world) == 0


def test_a_signed_file_is_read_after_it_was_verified(world: Served) -> None:
    rows = b"to,jina\n" + b"255700000000,Asha\n" * 100_000
    edge = b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = b"".join((
        edge % (b"name", b"", b"Bili"), edge % (b"text", b"", b"Ndugu ((jina))"),
        edge % (b"file", b"; filename=\"rows.csv\"", rows), b"--edge--\r\n",
    ))  # fmt: skip
    path = "/api/v1/bulks"
    for data, status in ((body, 202), (body[:-1] + b" ", 401)):
        answer = world.ask(
            "POST", path, "signs", headers=signed("POST", path, body, SECRET),
            input_stream=io.BytesIO(data), content_length=len(data),
            content_type="multipart/form-data; boundary=edge",
        )  # fmt: skip
        assert answer.status_code == status


def test_a_body_that_is_too_large_is_refused_without_being_hashed(world: Served) -> None:
    answer = world.ask(
        "POST", PATH, "signs", data=BODY, headers=signed("POST", PATH, BODY, SECRET),
        environ_overrides={"CONTENT_LENGTH": str(10**10)},
    )  # fmt: skip
    assert answer.status_code == 413


def test_a_key_that_does_not_sign_stays_as_it_was(world: Served) -> None:
    assert world.ask("POST", PATH, data=BODY, content_type="application/json").status_code == 202


def behind(world: Served, *proxies: str) -> None:
    trusted = tuple(ip_network(one) for one in proxies)
    known = world.gateway.settings
    world.app.extensions["ussdapp"] = dataclasses.replace(
        world.app.extensions["ussdapp"],
        gateway=dataclasses.replace(
            world.gateway, settings=dataclasses.replace(known, trusted_proxies=trusted)
        ),
    )


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "status"),
    [
        ((), "10.9.9.9", "41.1.2.3", 403),
        (("10.9.9.9/32",), "10.9.9.9", "41.1.2.3", 200),
        (("10.9.9.9/32",), "10.9.9.9", "41.1.2.3, 8.8.8.8", 403),
        (("10.9.9.9/32",), "10.9.9.8", "41.1.2.3", 403),
        (("10.9.9.9/32",), "10.9.9.9", "41.1.2.3, nonsense", 403),
        (("10.9.9.9/32",), "41.1.2.3", "8.8.8.8", 200),
    ],
    ids=["no proxy is trusted", "a proxy tells", "the client wrote the first", "another proxy",
         "unreadable", "without a proxy"],
)  # fmt: skip
def test_a_network_is_judged_by_the_real_client(
    world: Served, proxies: tuple[str, ...], peer: str, forwarded: str, status: int
) -> None:
    behind(world, *proxies)
    world.issue(KeyRequest("ega", "near", tuple(SCOPES), networks=("41.1.2.0/24",)), "near")
    answer = world.ask(
        "GET", PATH, "near", headers={"X-Forwarded-For": forwarded, "Forwarded": "for=41.1.2.3"},
        environ_overrides={"REMOTE_ADDR": peer},
    )  # fmt: skip
    assert answer.status_code == status
