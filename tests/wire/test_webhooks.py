"""What is posted, as a receiver reads it that uses the published library; and what is never
posted, shown by a listener to which nobody comes."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.wire.hostile import HOSTILE_ADDRESSES, HOSTILE_URLS
from tests.wire.web_peer import OK, WebPeer, certificate, web_peer
from ussdapp.core.webhook import Endpoint, Event
from ussdapp.wire.guarded import GuardedClient
from ussdapp.wire.webhooks import Poster, new_secret, spelt

NOW = datetime.now(UTC).replace(microsecond=0)
TLS = ssl.create_default_context()
SECRET, FORMER = new_secret(), new_secret()
EVENT = Event(
    7, "msg_aaaa", "notification.final", NOW - timedelta(hours=1), 0,
    {"id": "abc", "status": "delivered", "status_at": NOW, "reference": "Ñ-1"},
)  # fmt: skip


def endpoint(url: str, *secrets: str) -> Endpoint:
    return Endpoint(1, "ega", "main", url, secrets or (SECRET,), NOW)


def poster(allow_private: bool = True, **options) -> Poster:
    client = GuardedClient(allow_private=allow_private, **{"tls": TLS, **options})
    return Poster(client, lambda: NOW)


def received(peer: WebPeer) -> tuple[dict[str, str], bytes]:
    (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith("POST /x?y=1 HTTP/1.1")
    return dict(line.lower().split(": ", 1) if "webhook" not in line.lower()
                else (line.split(": ", 1)[0].lower(), line.split(": ", 1)[1])
                for line in lines[1:]), body  # fmt: skip


def test_a_secret_is_written_as_the_standard_says_and_drawn_anew():
    octets = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert SECRET.startswith("whsec_")
    assert 24 <= len(octets) <= 64
    assert SECRET != FORMER


def test_a_receiver_with_the_published_library_takes_what_is_posted():
    with web_peer() as peer:
        answer = poster()(endpoint(f"http://127.0.0.1:{peer.port}/x?y=1"), EVENT)
        headers, body = received(peer)
    assert (answer.status, answer.taken) == (200, True)
    told = Webhook(SECRET).verify(body, headers)
    assert told == {
        "type": "notification.final",
        "timestamp": (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        "data": {
            "id": "abc",
            "status": "delivered",
            "status_at": NOW.isoformat().replace("+00:00", "Z"),
            "reference": "Ñ-1",
        },
    }
    assert headers["webhook-id"] == "msg_aaaa"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["content-type"] == "application/json"


def test_while_a_secret_is_exchanged_either_verifies_and_no_other():
    with web_peer() as peer:
        poster()(endpoint(f"http://127.0.0.1:{peer.port}/x?y=1", SECRET, FORMER), EVENT)
        headers, body = received(peer)
    for secret in (SECRET, FORMER):
        assert Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp"])
def test_what_was_changed_on_the_way_is_not_taken(change):
    with web_peer() as peer:
        poster()(endpoint(f"http://127.0.0.1:{peer.port}/x?y=1"), EVENT)
        headers, body = received(peer)
    changed = {**headers, change: "1" + headers.get(change, "")[:-1]}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"abc", b"abd") if change == "body" else body, changed)


def test_the_body_is_the_same_each_time():
    assert spelt(EVENT) == spelt(EVENT)
    assert json.loads(spelt(EVENT))["type"] == "notification.final"


def answer(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "", ""]).encode()


@pytest.mark.parametrize(
    ("said", "status", "patience"),
    [
        (answer("204 No Content"), 204, 0),
        (answer("410 Gone"), 410, 0),
        (answer("429 Too Many", "Retry-After: 120"), 429, 120),
        (answer("503 Busy", "Retry-After: 99999999"), 503, 3600),
        (answer("503 Busy", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"), 503, 0),
        (answer("503 Busy", "Retry-After: -5"), 503, 0),
    ],
)
def test_an_answer_is_its_status_and_the_patience_it_asks_for(said, status, patience):
    with web_peer(said) as peer:
        told = poster()(endpoint(f"http://127.0.0.1:{peer.port}/x"), EVENT)
    assert (told.status, told.patience) == (status, patience)


# What follows is posted nowhere. `ear` stands where it would arrive.


class Ear:
    """Counts who connects to it, by itself on each address of this machine."""

    def __init__(self, address: str) -> None:
        self.heard = 0
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                self._listener.accept()[0].close()
            except OSError:
                return
            self.heard += 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def ear(address: str = "0.0.0.0") -> Iterator[Ear]:
    made = Ear(address)
    try:
        yield made
        with socket.create_connection(("127.0.0.1", made.port)):
            pass  # it does hear, and what came before is counted by now
        while made.heard == 0:
            pass
    finally:
        made.close()


def at_the_ear(url: str, port: int) -> str:
    """The same URL with the ear's port, where it names no other."""
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not slashes or host.endswith(":") or (":" in host and not host.endswith("]")):
        return url
    return f"{scheme}://{host}:{port}{slash}{path}"


def test_no_hostile_url_is_posted_to_and_nobody_comes_to_the_ear():
    assert len(set(HOSTILE_URLS)) >= 80
    with ear() as listening:
        refuse = poster(allow_private=False, resolve=lambda *_: ["127.0.0.1"])
        for url in HOSTILE_URLS:
            for spelling in (url, at_the_ear(url, listening.port)):
                told = refuse(endpoint(spelling), EVENT)
                assert (told.status, told.detail) == (0, "forbidden"), url
        assert listening.heard == 0


def test_a_name_that_leads_inside_is_not_posted_to():
    with ear() as listening:
        url = f"https://maji.go.tz:{listening.port}/"
        for address in HOSTILE_ADDRESSES:
            refuse = poster(allow_private=False, resolve=lambda *_, one=address: [one])
            assert refuse(endpoint(url), EVENT).detail == "forbidden", address
            refuse = poster(allow_private=False, resolve=lambda *_, one=address: ["1.1.1.1", one])
            assert refuse(endpoint(url), EVENT).detail == "forbidden", address
        assert listening.heard == 0


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once_and_posted_where_it_led(
    tmp_path,
):
    """DNS rebinding: the first answer is judged and called; the second, inside, is never had."""
    pem = certificate(tmp_path, "maji.go.tz")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    with (
        ear("127.0.0.1") as listening,
        socket.create_server(("127.0.0.2", listening.port)) as there,
    ):
        post = poster(resolve=rebinding, tls=trusting)
        url = f"https://maji.go.tz:{listening.port}/"
        threading.Thread(target=post, args=(endpoint(url), EVENT), daemon=True).start()
        wire, _ = there.accept()
        with theirs.wrap_socket(wire, server_side=True) as speaking:
            speaking.recv(65536)
            speaking.sendall(OK)
        assert asked == ["maji.go.tz"]
        assert listening.heard == 0


def test_rebinding_from_the_internet_to_the_inside_is_refused_each_time():
    answers = [["10.0.0.5"], ["102.214.45.17", "127.0.0.1"], ["::1"], ["169.254.169.254"]]
    with ear() as listening:
        refuse = poster(allow_private=False, resolve=lambda *_: answers.pop())
        while answers:
            told = refuse(endpoint(f"https://maji.go.tz:{listening.port}/"), EVENT)
            assert told.detail == "forbidden"
        assert listening.heard == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failed_post_and_leads_nowhere(status):
    with ear() as listening:
        moved = answer(f"{status} Moved", f"Location: http://127.0.0.1:{listening.port}/")
        with web_peer(moved) as peer:
            told = poster()(endpoint(f"http://127.0.0.1:{peer.port}/x"), EVENT)
        assert (told.status, told.taken) == (status, False)
        assert listening.heard == 0


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch):
    with ear() as listening, web_peer() as peer:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{listening.port}")
        assert poster()(endpoint(f"http://127.0.0.1:{peer.port}/x"), EVENT).taken
        assert listening.heard == 0
