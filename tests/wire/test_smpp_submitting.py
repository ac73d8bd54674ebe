"""What is submitted on a bind: answered, refused, lost, never written, or answered late."""

import socket
import time
from collections import Counter
from dataclasses import replace

import pytest

from tests.fakes.patience import PATIENCE, until
from tests.wire.peer import QUICK, Peer
from tests.wire.said import SUBMIT_RESP, body
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Login, read_delivered
from ussdapp.wire.late import Late
from ussdapp.wire.smpp import Bind
from ussdapp.wire.window import Answered, Nacked, Unanswered, Unwritten


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


def test_what_later_submits_overtook_is_not_waited_for_and_keeps_its_room(peer, bind_to, pool):
    late = []
    patient = replace(QUICK, response_s=600.0, overtaken_s=0.1, window=2)
    bind = bind_to(limits=patient, on_late=lambda tag, answer: late.append((tag, answer)))
    lost = pool.submit(bind.submit, [body(b"lost")], "express", lambda place: "lost")
    forgotten = peer.hear()
    other = pool.submit(bind.submit, [body(b"other")], "express")
    peer.say(SUBMIT_RESP, 0, peer.hear().sequence, b"2\0")
    assert other.result(PATIENCE) == [Answered(0, "2")]
    assert lost.result(PATIENCE) == [Unanswered()]
    both = pool.submit(bind.submit, [body(b"a"), body(b"b")])
    first = peer.hear()
    peer.say(pdu.ENQUIRE_LINK, 0, 7)
    assert peer.hear().command == pdu.ENQUIRE_LINK | pdu.RESPONSE, "one at a time has room"
    peer.say(SUBMIT_RESP, 0, forgotten.sequence, b"1\0")
    second = peer.hear()
    for one in (first, second):
        peer.say(SUBMIT_RESP, 0, one.sequence, b"3\0")
    assert both.result(PATIENCE) == [Answered(0, "3")] * 2
    assert late == [("lost", Answered(0, "1"))]


def test_what_nothing_overtook_has_all_the_time_for_responses(peer, bind_to, pool):
    bind = bind_to(limits=replace(QUICK, response_s=600.0, overtaken_s=0.1))
    other = pool.submit(bind.submit, [body(b"before")])
    before = peer.hear()
    slow = pool.submit(bind.submit, [body(b"slow")])
    last = peer.hear()
    peer.say(SUBMIT_RESP, 0, before.sequence, b"1\0")
    assert other.result(PATIENCE) == [Answered(0, "1")]
    time.sleep(1.2)
    peer.say(SUBMIT_RESP, 0, last.sequence, b"2\0")
    assert slow.result(PATIENCE) == [Answered(0, "2")]


def test_an_answer_may_be_ten_minutes_late_and_no_more():
    late = Late()
    late.expect([(1, "a")], 0.0)
    late.expect([(3, "c")], 1.0)
    assert late.take(1, 599.0) == "a"
    assert late.take(1, 599.0) is None
    late.expect([(4, "d")], 600.0)
    assert late.take(3, 601.0) is None
    assert late.take(4, 1199.0) == "d"
