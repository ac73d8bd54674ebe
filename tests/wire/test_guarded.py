import ssl
import threading
import time

import pytest

from tests.wire.hostile import HOSTILE_ADDRESSES, HOSTILE_URLS
from tests.wire.web_peer import OK, certificate, web_peer
from ussdapp.wire.guarded import (
    MOST_BODY,
    Call,
    Forbidden,
    GuardedClient,
    NoAnswer,
    NotReached,
    TooSlow,
)

PUBLIC = "102.214.45.17"
TLS = ssl.create_default_context()  # reading the machine's authorities takes its time


def client(*addresses: str, **options) -> GuardedClient:
    return GuardedClient(resolve=lambda *_: addresses, **{"tls": TLS, **options})


def sandbox(**options) -> GuardedClient:
    return GuardedClient(allow_private=True, **{"tls": TLS, **options})


def get(url: str) -> Call:
    return Call("GET", url, {"X-Request-Id": "1"})


def test_the_corpus_has_sixty_urls():
    assert len(set(HOSTILE_URLS)) >= 60


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=range(len(HOSTILE_URLS)))
def test_a_hostile_url_is_refused_before_anything_is_resolved(url):
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return [PUBLIC]

    with pytest.raises(Forbidden):
        GuardedClient(resolve=resolve, tls=TLS).exchange(get(url), 1.0)
    assert asked == []


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES, ids=range(len(HOSTILE_ADDRESSES)))
def test_a_name_that_leads_to_a_hostile_address_is_refused(address):
    with pytest.raises(Forbidden):
        client(address).exchange(get("https://maji.go.tz/"), 1.0)


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(Forbidden):
        client(PUBLIC, "10.0.0.1").exchange(get("https://maji.go.tz/"), 1.0)


def test_a_name_without_an_address_is_not_reached():
    with pytest.raises(NotReached):
        client().exchange(get("https://maji.go.tz/"), 1.0)


@pytest.mark.parametrize(
    "url", ["https://102.214.45.17/", "https://[2c0f:fb50:4002::1]/", "https://maji.go.tz:8443/x?y"]
)
def test_a_public_https_url_is_fine(url):
    assert GuardedClient().parsed(url).scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://user@127.0.0.1/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_the_sandbox_reaches_its_own_machine_and_not_everything(url):
    with pytest.raises(Forbidden):
        sandbox().exchange(get(url), 1.0)


def test_a_name_is_resolved_once_and_that_address_is_called():
    """DNS rebinding: the second answer would lead elsewhere, and nobody asks for it."""
    with web_peer() as peer:
        answers = [["127.0.0.1"], ["10.0.0.1"]]
        rebinding = sandbox(resolve=lambda *_: answers.pop(0))
        answer = rebinding.exchange(get(f"http://maji.go.tz:{peer.port}/deni?n=1"), 5.0)
    assert answer.body == b"ok"
    assert answers == [["10.0.0.1"]]
    assert peer.requests[0].startswith(b"GET /deni?n=1 HTTP/1.1\r\n")
    assert f"Host: maji.go.tz:{peer.port}\r\n".encode() in peer.requests[0]


def test_tls_is_checked_against_the_name_and_not_the_address(tmp_path):
    pem = certificate(tmp_path, "maji.go.tz")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pem)
    named: list[str | None] = []
    theirs.sni_callback = lambda _, name, __: named.append(name)
    trusting = ssl.create_default_context(cafile=str(pem))
    ours = sandbox(resolve=lambda *_: ["127.0.0.1"], tls=trusting)
    with web_peer(OK, theirs) as peer:
        assert ours.exchange(get(f"https://maji.go.tz:{peer.port}/"), 5.0).body == b"ok"
        with pytest.raises(NotReached):
            ours.exchange(get(f"https://ardhi.go.tz:{peer.port}/"), 5.0)
    assert named == ["maji.go.tz", "ardhi.go.tz"]
    assert len(peer.requests) == 1


def test_an_unknown_certificate_is_not_reached(tmp_path):
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate(tmp_path, "maji.go.tz"))
    ours = sandbox(resolve=lambda *_: ["127.0.0.1"])
    with web_peer(OK, theirs) as peer, pytest.raises(NotReached):
        ours.exchange(get(f"https://maji.go.tz:{peer.port}/"), 5.0)
    assert peer.requests == []


def test_a_redirect_is_an_answer_and_is_not_followed():
    with web_peer() as elsewhere:
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\n\r\n"
        with web_peer(moved.encode()) as peer:
            answer = sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 5.0)
    assert answer.status == 302
    assert elsewhere.requests == []


def test_a_body_of_64_kb_is_read_and_one_octet_more_is_not():
    def answer(size: int) -> bytes:
        return f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"a" * size

    with web_peer(answer(MOST_BODY)) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        assert len(sandbox().exchange(get(url), 5.0).body) == MOST_BODY
    with web_peer(answer(MOST_BODY + 1)) as peer, pytest.raises(NoAnswer):
        sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 5.0)


def test_of_an_answer_that_is_only_told_the_body_is_not_waited_for():
    def speak(wire) -> None:
        wire.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99999999\r\nX-A: b\r\n\r\nab")
        wire.recv(1)

    with web_peer(speak) as peer:
        status, headers = sandbox().told(get(f"http://127.0.0.1:{peer.port}/"), 5.0)
    assert (status, headers["x-a"]) == (202, "b")


def endless(first: bytes, more: bytes):
    def speak(wire) -> None:
        wire.sendall(first)
        while True:
            wire.sendall(more)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536),
        endless(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1000\r\n" + b"a" * 4096 + b"\r\n",
        ),
        endless(b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"a" * 5000 + b"\r\n"),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["a body", "chunks", "headers", "continues"],
)
def test_an_endless_answer_is_no_answer(speak):
    with web_peer(speak) as peer, pytest.raises(NoAnswer) as refused:
        sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 30.0)
    assert not isinstance(refused.value, TooSlow)


def dripping(octets: bytes):
    def speak(wire) -> None:
        for octet in octets:
            wire.sendall(bytes((octet,)))
            time.sleep(0.05)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"a" * 500),
        dripping(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 90),
        lambda wire: wire.recv(1),
    ],
    ids=["a dripping body", "dripping headers", "silence"],
)
def test_whatever_comes_slower_than_the_deadline_is_too_slow(speak):
    with web_peer(speak) as peer, pytest.raises(TooSlow):
        sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 0.3)


def test_a_resolver_that_hangs_does_not_hold_the_caller():
    gate = threading.Event()

    def hanging(*_) -> list[str]:
        gate.wait()
        return [PUBLIC]

    try:
        with pytest.raises(NotReached):
            GuardedClient(resolve=hanging).exchange(get("https://maji.go.tz/"), 0.2)
    finally:
        gate.set()


def test_a_peer_that_is_not_there_is_not_reached():
    with web_peer() as peer:
        pass
    with pytest.raises(NotReached):
        sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 5.0)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
    ],
    ids=["nothing", "no HTTP", "cut short", "compressed", "bad chunk", "bad status"],
)
def test_what_is_no_whole_answer_is_none(said):
    with web_peer(said) as peer, pytest.raises(NoAnswer):
        sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 5.0)


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch):
    with web_peer() as proxy, web_peer() as peer:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 5.0)
    assert proxy.requests == []


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["closed after", "HTTP 1.0", "chunked", "after a continue"],
)
def test_every_way_to_end_a_body_is_read(said):
    with web_peer(said) as peer:
        answer = sandbox().exchange(get(f"http://127.0.0.1:{peer.port}/"), 5.0)
    assert answer.body == b"ok"


def test_a_refusal_does_not_quote_the_url():
    with pytest.raises(Forbidden) as refused:
        GuardedClient().exchange(get("https://10.0.0.1/?msisdn=255754000001"), 1.0)
    assert "255754000001" not in str(refused.value)


def test_a_post_carries_its_octets_as_they_are():
    body = '{"data": "Ñandú"}'.encode()
    with web_peer() as peer:
        call = Call("POST", f"http://127.0.0.1:{peer.port}/x", {"hash": "abc="}, body)
        sandbox().exchange(call, 5.0)
    head, _, sent = peer.requests[0].partition(b"\r\n\r\n")
    assert b"hash: abc=" in head
    assert sent == body
