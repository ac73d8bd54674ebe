"""Several threads submit on one bind at the same time."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.fakes.patience import PATIENCE, until
from tests.wire.peer import QUICK, Peer
from tests.wire.said import SUBMIT_RESP, body
from ussdapp.wire import pdu
from ussdapp.wire.bodies import read_delivered
from ussdapp.wire.window import Answered, Unwritten

PATIENT = replace(QUICK, response_s=30, enquire_s=60)


def texts(name: bytes, count: int, size: int = 0) -> list[bytes]:
    return [body(b"%s %06d" % (name, n) + b"x" * size) for n in range(count)]


def answer(peer: Peer, one: pdu.Pdu) -> bytes:
    text = read_delivered(one.body).short_message
    peer.say(SUBMIT_RESP, 0, one.sequence, text[:24].replace(b" ", b"-") + b"\0")
    return text


def test_a_small_express_submit_overtakes_what_a_bulk_could_not_write_yet(peer, bind_to):
    bind = bind_to(limits=PATIENT)
    bulk, express = texts(b"bulk", 40_000, 180), texts(b"express", 20)
    with ThreadPoolExecutor(2) as pool:
        bulking = pool.submit(bind.submit, bulk)
        peer.connection.recv(1, socket.MSG_PEEK)
        until(lambda: stuck(bind))
        hurrying = pool.submit(bind.submit, express, "express")
        heard, at = [], []
        while len(heard) < len(bulk) + len(express):
            one = peer.hear()
            text = answer(peer, one)
            heard.append(text)
            if text.startswith(b"express"):
                at.append(len(heard))
        assert at[-1] < len(bulk), "it did not wait for the end of the bulk"
        assert at == list(range(at[0], at[0] + 20)), "in one go, in order"
        in_order = [text for text in heard if text.startswith(b"bulk")]
        assert in_order == [read_delivered(one).short_message for one in bulk]
        assert hurrying.result(PATIENCE) == [Answered(0, f"express-{n:06}") for n in range(20)]
        assert all(type(one) is Answered for one in bulking.result(PATIENCE))


def stuck(bind) -> bool:
    """Whether the kernel takes no more."""
    link = bind._link
    return bool(link._waits)


def test_threads_together_never_have_more_than_the_window_unanswered(peer, bind_to):
    bind = bind_to(limits=replace(PATIENT, window=50))
    lots = {b"a": ("bulk", 300), b"b": ("bulk", 300), b"c": ("express", 30)}
    most = waiting = 0
    heard: list[pdu.Pdu] = []
    with ThreadPoolExecutor(3) as pool:
        calls = {
            name: pool.submit(bind.submit, texts(name, count), lane)
            for name, (lane, count) in lots.items()
        }
        peer.connection.settimeout(0.2)
        left = sum(count for _, count in lots.values())
        while left:
            try:
                heard.append(peer.hear())
                waiting += 1
                most = max(most, waiting)
            except TimeoutError:
                for one in heard:
                    answer(peer, one)
                left, waiting, heard = left - len(heard), 0, []
        for name, call in calls.items():
            ids = [f"{name.decode()}-{n:06}" for n in range(lots[name][1])]
            assert call.result(PATIENCE) == [Answered(0, spelt) for spelt in ids]
    assert most == 50


def test_express_gets_the_first_room_in_a_full_window(peer, bind_to):
    bind = bind_to(limits=replace(PATIENT, window=10))
    with ThreadPoolExecutor(2) as pool:
        bulk = pool.submit(bind.submit, texts(b"bulk", 40))
        first = peer.hear_all(10)
        express = pool.submit(bind.submit, texts(b"express", 1), "express")
        until(lambda: bind._under_way._hurried)
        answer(peer, first[0])
        assert answer(peer, peer.hear()).startswith(b"express")
        assert express.result(PATIENCE) == [Answered(0, "express-000000")]
        for one in first[1:]:
            answer(peer, one)
        for _ in range(30):
            answer(peer, peer.hear())
        assert len(bulk.result(PATIENCE)) == 40


def test_a_lost_answer_takes_its_place_in_the_window_and_no_more(peer, bind_to):
    bind = bind_to(limits=replace(PATIENT, window=3, response_s=1))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(bind.submit, texts(b"a", 9))
        lost = peer.hear()
        for _ in range(8):
            answer(peer, peer.hear())
        answers = call.result(PATIENCE)
        assert [type(one) is Answered for one in answers] == [False] + [True] * 8
        assert len(bind._under_way) == 0, "its place is free again"
        again = pool.submit(bind.submit, texts(b"b", 3))
        for one in peer.hear_all(3):
            assert one.sequence > lost.sequence
            answer(peer, one)
        assert len(again.result(PATIENCE)) == 3


def test_an_smsc_that_stops_answering_gets_no_more_and_the_rest_is_known_unwritten(peer, bind_to):
    bind = bind_to(limits=replace(PATIENT, window=4, response_s=0.3))
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(bind.submit, texts(b"a", 10)).result(PATIENCE)
    assert answers[4:] == [Unwritten()] * 6
    assert not any(type(one) is Unwritten for one in answers[:4])
    peer.hear_all(4)


def test_a_bind_that_dies_frees_every_thread_that_waits_on_it(peer, bind_to):
    bind = bind_to(limits=replace(PATIENT, window=5))
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(bind.submit, texts(b"%d" % n, 20)) for n in range(3)]
        calls.append(pool.submit(bind.submit, texts(b"e", 20), "express"))
        peer.hear_all(5)
        peer.hang_up()
        answers = [one for call in calls for one in call.result(PATIENCE)]
    assert len(answers) == 80
    assert sum(type(one) is not Unwritten for one in answers) == 5


def test_many_threads_and_one_stream(peer, bind_to):
    bind = bind_to(limits=replace(PATIENT, window=64))
    stopping = threading.Event()

    def smsc() -> None:
        while not stopping.is_set():
            try:
                answer(peer, peer.hear())
            except (TimeoutError, EOFError, OSError):
                return

    answering = threading.Thread(target=smsc)
    answering.start()
    with ThreadPoolExecutor(6) as pool:
        calls = {
            f"{name}{turn}": pool.submit(
                bind.submit,
                texts(f"{name}{turn}".encode(), 40 if name != "x" else 3),
                "express" if name == "x" else "bulk",
            )
            for turn in range(10)
            for name in "abcx"
        }
        for name, call in calls.items():
            count = 3 if name.startswith("x") else 40
            assert call.result(PATIENCE) == [Answered(0, f"{name}-{n:06}") for n in range(count)]
    stopping.set()
    peer.connection.shutdown(socket.SHUT_RDWR)
    answering.join(PATIENCE)
