"""What the SMSC delivers is answered once it was kept."""

import threading
from dataclasses import replace

import pytest

from tests.fakes.patience import PATIENCE
from tests.wire.peer import QUICK
from tests.wire.said import DELIVER_RESP, SUBMIT_RESP, body, mo
from ussdapp.wire import pdu
from ussdapp.wire.window import Answered


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
