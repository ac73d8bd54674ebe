"""A bind begins, is kept alive and ends."""

from dataclasses import replace

import pytest

from tests.fakes.patience import PATIENCE, until
from tests.wire.peer import QUICK
from tests.wire.said import SUBMIT_RESP, THEIRS, body
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, Login, SubmitFields, submit_body
from ussdapp.wire.smpp import Bind, BindRefused
from ussdapp.wire.window import Answered, Unwritten


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
