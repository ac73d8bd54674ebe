"""Octets that no SMSC should send end the bind and nothing else."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from tests.fakes.patience import PATIENCE, until
from tests.wire.peer import QUICK, Peer
from tests.wire.said import SUBMIT_RESP, body, mo
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Login, read_data, read_delivered
from ussdapp.wire.smpp import Bind
from ussdapp.wire.window import Answered, Unanswered


def test_a_pdu_in_many_pieces_is_one_pdu(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=10, pdu_s=5))
    waiting = pool.submit(bind.submit, [body()])
    octets = pdu.encode(SUBMIT_RESP, 0, peer.hear().sequence, b"1\0")
    for place in range(len(octets)):
        peer.raw(octets[place : place + 1])
        time.sleep(0.005)
    assert waiting.result(PATIENCE) == [Answered(0, "1")]


@pytest.mark.parametrize(
    ("octets", "nacked"),
    [
        (b"\xff\xff\xff\xff" + bytes(12), True),
        (b"\0\0\0\x0f" + bytes(12), True),
        (b"\0\0\x40\x01" + bytes(12), True),
        (b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n", True),
        (pdu.encode(pdu.DELIVER_SM, 0, 9, b"\0\1\1" + b"2" * 40), True),
        (pdu.encode(pdu.DELIVER_SM, 0, 9, mo()[:-3]), True),
        (pdu.encode(pdu.DELIVER_SM, 0, 9, mo() + b"\0\x1e\0\xff1\0"), True),
        (pdu.encode(pdu.DELIVER_SM, 0, 9, mo() + b"\0\x1e"), True),
        (pdu.encode(pdu.DELIVER_SM, 0, 9, b""), True),
        (pdu.encode(pdu.DATA_SM, 0, 9, b"\0\1\1255\0\1\1255\0"), True),
        (pdu.encode(pdu.DELIVER_SM, 0, 9, mo())[:-1], False),
    ],
    ids=[
        "4 GiB", "length 15", "over the cap", "HTTP", "an address without end",
        "short_message beyond the PDU", "a parameter beyond the PDU", "half a parameter",
        "no body", "data_sm cut short", "a PDU that never ends",
    ],
)  # fmt: skip
def test_malformed_octets_end_the_bind_and_nothing_else(peer, bind_to, pool, octets, nacked):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body()])
    peer.hear()
    peer.raw(octets)
    if nacked:
        assert peer.hear().command == pdu.GENERIC_NACK
    with pytest.raises(EOFError):
        peer.hear()
    assert waiting.result(PATIENCE) == [Unanswered()]
    assert not bind.alive


def test_answers_before_the_garbage_still_count(peer, bind_to, pool):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body()])
    answer = pdu.encode(SUBMIT_RESP, 0, peer.hear().sequence, b"1\0")
    peer.raw(answer + b"\xff" * 64)
    assert waiting.result(PATIENCE) == [Answered(0, "1")]


def test_a_peer_that_drips_one_octet_at_a_time_is_dropped(peer, bind_to):
    bind = bind_to()
    octets = pdu.encode(pdu.DELIVER_SM, 0, 9, mo())
    with pytest.raises(OSError):  # noqa: PT012, PT011 - whichever write meets the closed socket
        for place in range(len(octets)):
            peer.raw(octets[place : place + 1])
            time.sleep(0.05)
    assert not bind.alive


@given(st.binary(max_size=400), st.integers(1, 50))
@settings(max_examples=examples(300), deadline=None)
def test_any_octets_are_cut_alike_however_they_arrive(octets, size):
    whole = pdu.cut(octets, 200)
    pieces, rest, broken = [], b"", None
    for at in range(0, len(octets), size):
        found = pdu.cut(rest + octets[at : at + size], 200)
        pieces += found.pdus
        rest, broken = found.rest, found.broken
        if broken is not None:
            break
    assert (pieces, broken) == (whole.pdus, whole.broken)


@given(st.binary(max_size=300))
@settings(max_examples=examples(500), deadline=None)
def test_any_body_is_read_or_malformed(octets):
    for read in (read_delivered, read_data):
        try:
            read(octets)
        except pdu.Malformed:
            continue


@given(st.data())
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_octets_raise_out_of_the_reader(data):
    good = pdu.encode(pdu.DELIVER_SM, 0, 9, mo()) + pdu.encode(SUBMIT_RESP, 0, 2, b"1\0")
    at = data.draw(st.integers(0, len(good)))
    octets = good[:at] + data.draw(st.binary(max_size=64)) + good[at:]
    raised: list[object] = []
    hook, threading.excepthook = threading.excepthook, raised.append
    peer = Peer()
    try:
        bind = Bind(Login("127.0.0.1", peer.port, "ega", "x"), QUICK, lambda delivered: True)
        with ThreadPoolExecutor(2) as pool:
            welcomed = pool.submit(peer.welcome)
            bind.connect()
            welcomed.result(PATIENCE)
            waiting = pool.submit(bind.submit, [body()])
            peer.raw(octets)
            peer.connection.shutdown(socket.SHUT_WR)
            assert len(waiting.result(PATIENCE)) == 1
        until(lambda: all(thread.name != "smpp-reader" for thread in threading.enumerate()))
    finally:
        threading.excepthook = hook
        peer.close()
    assert not raised
