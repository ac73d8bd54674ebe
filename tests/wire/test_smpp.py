import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from tests.fakes.patience import PATIENCE, until
from tests.wire.peer import QUICK, Peer
from ussdapp.wire import pdu
from ussdapp.wire.bodies import (
    Address,
    Login,
    SubmitFields,
    read_data,
    read_delivered,
    submit_body,
)
from ussdapp.wire.late import Late
from ussdapp.wire.smpp import Bind, BindRefused
from ussdapp.wire.window import Answered, Nacked, Unanswered, Unwritten

SUBMIT_RESP = pdu.SUBMIT_SM | pdu.RESPONSE
DELIVER_RESP = pdu.DELIVER_SM | pdu.RESPONSE
OURS, THEIRS = Address(3, 0, "15200"), Address(1, 1, "255754000001")


def body(text: bytes = b"habari") -> bytes:
    return submit_body(SubmitFields(OURS, THEIRS, text))


def mo(text: bytes = b"MSAADA") -> bytes:
    return submit_body(SubmitFields(THEIRS, OURS, text))


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


# submitting


def test_a_window_answered_out_of_order_comes_back_in_order(peer, bind_to, pool):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body(b"%d" % n) for n in range(50)])
    heard = peer.hear_all(50)
    for one in reversed(heard):
        name = read_delivered(one.body).short_message
        peer.say(SUBMIT_RESP, 0, one.sequence, b"id-" + name + b"\0")
    assert waiting.result(PATIENCE) == [Answered(0, f"id-{n}") for n in range(50)]


def test_two_threads_may_submit_on_one_bind(peer, bind_to, pool):
    bind = bind_to()
    both = [pool.submit(bind.submit, [body(name)] * 20) for name in (b"a", b"b")]
    for one in peer.hear_all(40):
        name = read_delivered(one.body).short_message
        peer.say(SUBMIT_RESP, 0, one.sequence, name + b"\0")
    answers = [set(waiting.result(PATIENCE)) for waiting in both]
    assert answers == [{Answered(0, "a")}, {Answered(0, "b")}]


def test_a_refusal_without_a_body_is_an_answer(peer, bind_to, pool):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body()])
    peer.say(SUBMIT_RESP, 0x58, peer.hear().sequence)
    assert waiting.result(PATIENCE) == [Answered(0x58, "")]


def test_a_lost_response_leaves_that_submit_unanswered_and_the_bind_alive(peer, bind_to, pool):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body()] * 3)
    first, second, third = peer.hear_all(3)
    peer.say(SUBMIT_RESP, 0, first.sequence, b"1\0")
    peer.say(SUBMIT_RESP, 0, third.sequence, b"3\0")
    assert waiting.result(PATIENCE) == [Answered(0, "1"), Unanswered(), Answered(0, "3")]
    assert bind.alive
    peer.say(SUBMIT_RESP, 0, second.sequence, b"2\0")
    until(lambda: bind.counts["stray"] == 1)
    assert bind.alive


def test_unknown_and_repeated_responses_change_nothing(peer, bind_to, pool):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body()] * 2)
    first, second = peer.hear_all(2)
    peer.say(SUBMIT_RESP, 0, 0x7000, b"stranger\0")
    peer.say(SUBMIT_RESP, 0, first.sequence, b"1\0")
    peer.say(SUBMIT_RESP, 0x45, first.sequence)
    peer.say(SUBMIT_RESP, 0, second.sequence, b"2\0")
    assert waiting.result(PATIENCE) == [Answered(0, "1"), Answered(0, "2")]
    assert bind.counts["stray"] == 2


def test_sequence_numbers_roll_over_and_never_are_zero(peer, bind_to, pool):
    bind = bind_to(first_sequence=0x7FFFFFFE)
    waiting = pool.submit(bind.submit, [body()] * 3)
    heard = peer.hear_all(3)
    assert [one.sequence for one in heard] == [0x7FFFFFFF, 1, 2]
    for one in heard:
        peer.say(SUBMIT_RESP, 0, one.sequence, b"%d\0" % one.sequence)
    assert waiting.result(PATIENCE) == [Answered(0, str(n)) for n in (0x7FFFFFFF, 1, 2)]
    waiting = pool.submit(bind.submit, [body()])
    after = peer.hear()
    assert after.sequence == 3
    peer.say(SUBMIT_RESP, 0, after.sequence, b"3\0")
    assert waiting.result(PATIENCE) == [Answered(0, "3")]


def test_a_nack_of_one_submit_is_its_answer(peer, bind_to, pool):
    bind = bind_to()
    waiting = pool.submit(bind.submit, [body()] * 2)
    first, second = peer.hear_all(2)
    peer.say(pdu.GENERIC_NACK, 0x03, first.sequence)
    peer.say(SUBMIT_RESP, 0, second.sequence, b"2\0")
    assert waiting.result(PATIENCE) == [Nacked(0x03), Answered(0, "2")]
    assert bind.alive


def test_a_nack_of_no_submit_in_particular_ends_the_bind(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=30))
    waiting = pool.submit(bind.submit, [body()] * 2)
    peer.hear_all(2)
    peer.say(pdu.GENERIC_NACK, 0x02, 0)
    assert waiting.result(PATIENCE) == [Unanswered()] * 2
    assert not bind.alive


def test_a_peer_that_hangs_up_leaves_what_it_read_in_doubt(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=30))
    waiting = pool.submit(bind.submit, [body()] * 10)
    first = peer.hear_all(10)[0]
    peer.say(SUBMIT_RESP, 0, first.sequence, b"1\0")
    peer.hang_up()
    assert waiting.result(PATIENCE) == [Answered(0, "1")] + [Unanswered()] * 9


def big_window() -> list[bytes]:
    # 40,000 x 250 octets: more than the kernel holds for a peer that reads nothing
    return [body(b"%06d" % n + b"x" * 194) for n in range(40_000)]


@pytest.mark.parametrize("ending", ["cut", "late"])
def test_what_never_left_a_stuck_connection_is_told_from_what_may_have(peer, bind_to, pool, ending):
    seconds = 30 if ending == "cut" else 1
    bind = bind_to(limits=replace(QUICK, response_s=seconds, enquire_s=60))
    window = big_window()
    waiting = pool.submit(bind.submit, window)
    if ending == "cut":
        peer.connection.recv(1, socket.MSG_PEEK)  # it has begun, and cannot end
        peer.connection.shutdown(socket.SHUT_WR)  # the ESME sees the end; what left stays readable
    answers = waiting.result(PATIENCE)
    octets = all_there_is(peer)
    counts = Counter(map(type, answers))
    assert set(counts) == {Unanswered, Unwritten}
    left = counts[Unanswered]
    assert all(isinstance(answer, Unanswered) for answer in answers[:left])
    heard = pdu.cut(octets, 1 << 20).pdus
    submits = [one for one in heard if one.command == pdu.SUBMIT_SM]
    assert len(submits) <= left, "something that counts as unwritten reached the SMSC"
    assert [read_delivered(one.body).short_message[:6] for one in submits] == [
        b"%06d" % n for n in range(len(submits))
    ]
    if ending == "late":  # the PDU begun was finished, so the stream is still whole
        assert bind.alive
        assert len(submits) == left


def all_there_is(peer: Peer) -> bytes:
    data = b""
    peer.connection.settimeout(0.5)
    try:
        while chunk := peer.connection.recv(1 << 20):
            data += chunk
    except TimeoutError:
        pass
    return data


def test_a_peer_that_pauses_reading_gets_the_whole_window_intact(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=30))
    window = big_window()
    waiting = pool.submit(bind.submit, window)
    time.sleep(0.3)
    for one in peer.hear_all(len(window)):
        peer.say(SUBMIT_RESP, 0, one.sequence, read_delivered(one.body).short_message[:6] + b"\0")
    assert waiting.result(PATIENCE) == [Answered(0, f"{n:06d}") for n in range(len(window))]


def test_without_a_connection_nothing_is_written(peer, bind_to):
    bind = bind_to()
    peer.hang_up()
    until(lambda: not bind.alive)
    assert bind.submit([body()] * 2) == [Unwritten()] * 2
    never = Bind(Login("127.0.0.1", peer.port, "ega", "secret"), QUICK, lambda delivered: True)
    assert never.submit([body()]) == [Unwritten()]


# binding


def test_the_bind_says_who_we_are_in_version_34(peer, pool):
    login = Login("127.0.0.1", peer.port, "ega", "secret", "transmitter", "VMA")
    bind = Bind(login, QUICK, lambda delivered: True)
    welcomed = pool.submit(peer.welcome)
    bind.connect()
    heard = welcomed.result(PATIENCE)
    assert heard.command == pdu.BIND_TRANSMITTER
    assert heard.body == b"ega\0secret\0VMA\0\x34\0\0\0"
    bind.close()


def test_a_refused_bind_says_why(peer, pool):
    bind = Bind(Login("127.0.0.1", peer.port, "ega", "wrong"), QUICK, lambda delivered: True)

    def refuse() -> None:
        peer.accept()
        peer.say(pdu.BIND_TRANSCEIVER | pdu.RESPONSE, 0x0E, peer.hear().sequence)

    refused = pool.submit(refuse)
    with pytest.raises(BindRefused) as told:
        bind.connect()
    refused.result(PATIENCE)
    assert told.value.command_status == 0x0E
    assert not bind.alive


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0", b""],
    ids=["another protocol", "an impossible length", "nothing at all"],
)
def test_what_is_no_smsc_is_a_dead_network(peer, pool, said):
    bind = Bind(
        Login("127.0.0.1", peer.port, "ega", "x"), replace(QUICK, connect_s=0.3), lambda _: True
    )
    accepted = pool.submit(peer.accept)
    attempt = pool.submit(bind.connect)
    accepted.result(PATIENCE)
    peer.raw(said)
    with pytest.raises(OSError):  # noqa: PT011 - refused, reset and timed out are all OSError
        attempt.result(PATIENCE)


def test_a_host_that_is_not_there_is_an_oserror(peer):
    peer.close()
    bind = Bind(Login("127.0.0.1", peer.port, "ega", "x"), QUICK, lambda delivered: True)
    with pytest.raises(ConnectionRefusedError):
        bind.connect()


@pytest.mark.parametrize(
    ("system_id", "password"),
    [("x" * 16, "secret"), ("ega", "123456789"), ("egé", "secret"), ("ega", "a\0b")],
    ids=["long system_id", "long password", "not ASCII", "NUL"],
)
def test_a_login_that_would_be_cut_is_refused_before_connecting(system_id, password):
    with pytest.raises(ValueError, match=r"system_id|password") as told:
        Login("127.0.0.1", 1, system_id, password)
    assert password not in str(told.value)
    assert "secret" not in repr(Login("h", 1, "ega", "secret"))


@pytest.mark.parametrize("address", ["x" * 21, "dar@tz", "dar\0", "Bungé"])
def test_an_address_that_would_be_cut_is_refused(address):
    with pytest.raises(ValueError, match=r"address|SMPP text field"):
        submit_body(SubmitFields(Address(5, 0, address), THEIRS, b""))


# keeping alive and leaving


def test_silence_is_broken_by_an_enquire_link_and_a_dead_peer_is_found(peer, bind_to):
    bind = bind_to(limits=replace(QUICK, enquire_s=0.1))
    for _ in range(2):
        asked = peer.hear()
        assert asked.command == pdu.ENQUIRE_LINK
        peer.say(pdu.ENQUIRE_LINK | pdu.RESPONSE, 0, asked.sequence)
    until(lambda: not bind.alive)  # the third one gets no answer


def test_the_peers_enquire_link_and_strange_commands_are_answered(peer, bind_to):
    bind = bind_to()
    peer.say(pdu.ENQUIRE_LINK, 0, 77)
    assert peer.hear()[:3] == (pdu.ENQUIRE_LINK | pdu.RESPONSE, 0, 77)
    peer.say(0x0102, 0, 78)
    assert peer.hear()[:3] == (pdu.GENERIC_NACK, pdu.ESME_RINVCMDID, 78)
    assert bind.alive


def test_a_peer_that_unbinds_still_answers_what_is_under_way(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=30))
    waiting = pool.submit(bind.submit, [body()])
    submit = peer.hear()
    peer.say(pdu.UNBIND, 0, 5)
    assert peer.hear()[:3] == (pdu.UNBIND | pdu.RESPONSE, 0, 5)
    until(lambda: not bind.alive)
    assert bind.submit([body()]) == [Unwritten()]
    peer.say(SUBMIT_RESP, 0, submit.sequence, b"1\0")
    assert waiting.result(PATIENCE) == [Answered(0, "1")]
    with pytest.raises(EOFError):
        peer.hear()


def test_closing_unbinds_after_what_is_under_way_was_answered(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=30, drain_s=5))
    waiting = pool.submit(bind.submit, [body()])
    submit = peer.hear()
    closing = pool.submit(bind.close)
    until(lambda: not bind.alive)
    peer.say(SUBMIT_RESP, 0, submit.sequence, b"1\0")
    assert waiting.result(PATIENCE) == [Answered(0, "1")]
    unbind = peer.hear()
    assert unbind.command == pdu.UNBIND
    peer.say(pdu.UNBIND | pdu.RESPONSE, 0, unbind.sequence)
    closing.result(PATIENCE)
    with pytest.raises(EOFError):
        peer.hear()


# what is answered late


def test_an_answer_after_it_was_given_up_is_handed_on_with_its_tag_once(peer, bind_to, pool):
    late = []
    bind = bind_to(on_late=lambda tag, answer: late.append((tag, answer)))
    waiting = pool.submit(bind.submit, [body()] * 3, "bulk", "abc".__getitem__)
    first, second, third = peer.hear_all(3)
    peer.say(SUBMIT_RESP, 0, second.sequence, b"2\0")
    assert waiting.result(PATIENCE) == [Unanswered(), Answered(0, "2"), Unanswered()]
    peer.say(SUBMIT_RESP, 0, first.sequence, b"1\0")
    peer.say(SUBMIT_RESP, 0, first.sequence, b"1\0")
    peer.say(SUBMIT_RESP, 0, second.sequence, b"2\0")
    peer.say(pdu.GENERIC_NACK, 3, third.sequence)
    peer.say(SUBMIT_RESP, 0, 4711, b"never ours\0")
    until(lambda: bind.counts["stray"] == 3)
    assert late == [("a", Answered(0, "1")), ("c", Nacked(3))]


def test_an_answer_may_be_ten_minutes_late_and_no_more():
    late = Late()
    late.expect([(1, "a")], 0.0)
    late.expect([(3, "c")], 1.0)
    assert late.take(1, 599.0) == "a"
    assert late.take(1, 599.0) is None
    late.expect([(4, "d")], 600.0)
    assert late.take(3, 601.0) is None
    assert late.take(4, 1199.0) == "d"


# what is delivered


def test_a_delivery_is_answered_only_after_it_was_kept(peer, bind_to, pool):
    keeping, go_on = threading.Event(), threading.Event()

    def keep(delivered):
        keeping.set()
        return go_on.wait(PATIENCE)

    bind = bind_to(keep)
    peer.say(pdu.DELIVER_SM, 0, 9, mo())
    assert keeping.wait(PATIENCE)
    # nothing is answered yet, and keeping holds up neither submits nor enquiries
    peer.say(pdu.ENQUIRE_LINK, 0, 10)
    assert peer.hear()[:3] == (pdu.ENQUIRE_LINK | pdu.RESPONSE, 0, 10)
    waiting = pool.submit(bind.submit, [body()])
    peer.say(SUBMIT_RESP, 0, peer.hear().sequence, b"1\0")
    assert waiting.result(PATIENCE) == [Answered(0, "1")]
    go_on.set()
    assert peer.hear() == (DELIVER_RESP, pdu.ESME_ROK, 9, b"\0")


def _refuses(delivered):
    return False


def _raises(delivered):
    raise RuntimeError("the database is down")


@pytest.mark.parametrize("keep", [_refuses, _raises])
def test_what_was_not_kept_is_asked_for_again(peer, bind_to, keep):
    bind = bind_to(keep)
    for sequence in (9, 10):
        peer.say(pdu.DELIVER_SM, 0, sequence, mo())
        assert peer.hear() == (DELIVER_RESP, pdu.ESME_RX_T_APPN, sequence, b"\0")
    assert bind.alive


def test_deliveries_come_in_order_and_whole(peer, bind_to):
    got: list[bytes] = []

    def keep(delivered):
        got.extend(one.short_message for one in delivered)
        return True

    bind_to(keep)
    peer.raw(b"".join(pdu.encode(pdu.DELIVER_SM, 0, n + 1, mo(b"%d" % n)) for n in range(500)))
    assert [one.sequence for one in peer.hear_all(500)] == list(range(1, 501))
    assert got == [b"%d" % n for n in range(500)]


def test_a_backlog_has_an_end(peer, bind_to):
    keeping, go_on = threading.Event(), threading.Event()

    def keep(delivered):
        keeping.set()
        return go_on.wait(PATIENCE)

    bind_to(keep, limits=replace(QUICK, backlog=2))
    peer.say(pdu.DELIVER_SM, 0, 1, mo())
    assert keeping.wait(PATIENCE)
    peer.raw(b"".join(pdu.encode(pdu.DELIVER_SM, 0, n, mo()) for n in (2, 3, 4)))
    assert peer.hear()[1:3] == (pdu.ESME_RX_T_APPN, 4)
    go_on.set()
    assert [peer.hear()[1:3] for _ in range(3)] == [(0, 1), (0, 2), (0, 3)]


def test_a_data_sm_is_a_delivery_and_its_text_is_in_message_payload(peer, bind_to):
    got = []
    bind_to(lambda delivered: not got.extend(delivered))
    peer.say(
        pdu.DATA_SM,
        0,
        3,
        b"\0\1\1"
        + b"255754000001\0"
        + b"\3\0"
        + b"15200\0"
        + b"\4\0\0"
        + pdu.write_tlvs({0x0424: b"hi", 0x1E: b"7\0"}),
    )
    assert peer.hear() == (pdu.DATA_SM | pdu.RESPONSE, 0, 3, b"\0")
    assert (got[0].source_addr, got[0].destination_addr) == ("255754000001", "15200")
    assert (got[0].short_message, got[0].tlvs[0x1E], got[0].esm_class) == (b"hi", b"7\0", 4)


# hostile octets


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
