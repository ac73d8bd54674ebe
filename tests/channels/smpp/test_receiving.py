"""MOs and receipts over SMPP."""

import pytest

from tests.channels.smpp.worker import answer, part, receipt, submission
from tests.fakes.patience import PATIENCE, until
from ussdapp.channels import smpp
from ussdapp.core.inbound import Mo, Receipt
from ussdapp.core.mo_parts import joined
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Rejected
from ussdapp.wire import pdu
from ussdapp.wire.receipt_text import decoded


def test_an_mo_is_kept_before_it_is_answered(smsc, worker):
    mo = {"from": "255754000001", "to": "15200", "text": "LALAMIKO tanesco Umeme hakuna"}
    assert smsc.control(mo=mo)["command_status"] == 0
    kept = worker.mos[0]
    assert (kept.channel, kept.sender, kept.short_code) == ("vodacom", "255754000001", "15200")
    assert (kept.text, kept.msisdn) == (mo["text"], Msisdn("255754000001"))
    worker.down = True
    assert smsc.control(mo=mo)["command_status"] == pdu.ESME_RX_T_APPN
    worker.down = False
    assert smsc.control(mo=mo)["command_status"] == 0
    assert worker.mos[1] == kept, "the same text again has the same key"
    assert kept.keyed_by_content
    smsc.control(mo={**mo, "text": "MSAADA"})
    assert worker.mos[2].key != kept.key


def test_a_sender_that_is_no_msisdn_is_still_a_sender(smsc, worker):
    smsc.control(mo={"from": "M-PESA", "to": "15200", "text": "Umepokea"})
    assert (worker.mos[0].sender, worker.mos[0].msisdn) == ("M-PESA", None)


def test_receipts_that_were_not_kept_come_again(smsc, worker):
    worker.down = True
    worker.channel.submit([submission()])
    until(lambda: smsc.control(stats=True)["stats"].get("receipts_refused"))
    worker.down = False
    until(lambda: worker.receipts)


def test_before_anybody_keeps_them_nothing_is_answered_as_kept(smsc):
    options = {"host": "127.0.0.1", "port": smsc.port, "system_id": "ega", "password": "x"}
    channel = smpp.build("vodacom", options)
    channel.keep_bound()
    mo = {"from": "255754000001", "to": "15200", "text": "MSAADA"}
    assert smsc.control(mo=mo)["command_status"] == pdu.ESME_RX_T_APPN
    channel.close()


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (b"id:7 stat:DELIVRD err:000", Status.DELIVERED, "DELIVRD 000"),
        (b"id:7 stat:FAILED", Status.UNDELIVERED, "FAILED"),
        (b"id:7 stat:ACCEPTD", Status.SUBMITTED, "ACCEPTD"),
        (b"id:7 stat:0", Status.IN_DOUBT, "0"),
        (b"id:7", Status.IN_DOUBT, ""),
    ],
    ids=["delivered", "six letters", "accepted", "their own word", "none"],
)
def test_a_receipts_state_is_looked_up(peer, bound, text, status, code):
    worker = bound()
    peer.say(pdu.DELIVER_SM, 0, 3, receipt(text))
    assert peer.hear().status == 0
    msisdn = Msisdn("255754000001")
    assert worker.receipts == [Receipt("vodacom", "7", status, code, msisdn)]


def test_an_operators_own_words_are_looked_up_in_its_channels_settings(peer, bound, pool):
    worker = bound(
        states={"0": "delivered", "Blocked": "rejected"},
        statuses={"0x401": "rejected", "1026": "deferred", "0x404": "opted_out"},
        errors={"0B1": "opted_out"},
    )
    for text in (b"id:7 stat:0", b"id:8 stat:BLOCKED err:0B1", b"id:9 stat:EXPIRED"):
        peer.say(pdu.DELIVER_SM, 0, 3, receipt(text))
        assert peer.hear().status == 0
    statuses = [receipt.status for receipt in worker.receipts]
    assert statuses == [Status.DELIVERED, Status.REJECTED, Status.EXPIRED]
    assert worker.receipts[1].code == "opted_out"
    waiting = pool.submit(worker.channel.submit, [submission(n) for n in range(1, 6)])
    answer(peer, 5, [0x401, 0x402, 0x403, 0x0B, 0x404])
    assert waiting.result(PATIENCE) == [
        Rejected("0x401"),
        Deferred("0x402", 15.0, counts=True),
        InDoubt("0x403"),
        Rejected("ESME_RINVDSTADR"),
        Rejected("opted_out"),
    ]


@pytest.mark.parametrize(
    ("alphabet", "octets"),
    [("gsm7", b"Asante \x04"), ("latin1", b"Asante \xe8"), ("utf8", b"Asante \xc3\xa8")],
)
def test_data_coding_0_is_what_the_operator_writes_in_it(peer, bound, alphabet, octets):
    worker = bound(alphabet=alphabet)
    first, second = octets[:8], octets[8:]  # in the middle of a character, for some
    for place, some in enumerate((first, second), 1):
        peer.say(pdu.DELIVER_SM, 0, 3, part(place, some, b"\5\0\3\x9a\2%c" % place))
        assert peer.hear().status == 0
    peer.say(pdu.DELIVER_SM, 0, 3, part(1, octets))
    assert peer.hear().status == 0
    *parts, whole = worker.mos
    assert whole.text == "Asante è"
    kept = {one.number: (one.octets, one.data_coding) for one in parts}
    assert joined(kept, decoded) == "Asante è"


def test_a_receipt_of_nothing_is_answered_and_is_no_mo(peer, bound):
    worker = bound()
    peer.say(pdu.DELIVER_SM, 0, 3, receipt(b""))
    assert peer.hear().status == 0
    assert worker.receipts == worker.mos == []


def test_unmarked_receipts_are_read_by_their_text_only_where_configured(peer, bound):
    trusting = bound(receipts_by_text=True)
    peer.say(pdu.DELIVER_SM, 0, 3, receipt(b"id:7 stat:DELIVRD", esm_class=0))
    assert peer.hear().status == 0
    assert len(trusting.receipts) == 1
    peer.hang_up()
    wary = bound()
    peer.say(pdu.DELIVER_SM, 0, 3, receipt(b"id:7 stat:DELIVRD", esm_class=0))
    assert peer.hear().status == 0
    assert len(wary.mos) == 1


@pytest.mark.parametrize(
    ("header", "tlvs", "place"),
    [
        (b"\5\0\3\x9a\2\1", None, ("u9a", 2, 1)),
        (b"\6\x08\4\x01\x9a\2\1", None, ("u019a", 2, 1)),
        (b"\x08\x24\1\1\0\3\x9a\2\1", None, ("u9a", 2, 1)),
        (b"", {0x20C: b"\x01\x9a", 0x20E: b"\2", 0x20F: b"\1"}, ("s019a", 2, 1)),
    ],
    ids=["8-bit reference", "16-bit reference", "after another element", "SAR parameters"],
)
def test_a_part_of_a_long_text_says_where_it_belongs(peer, bound, header, tlvs, place):
    worker = bound()
    peer.say(pdu.DELIVER_SM, 0, 3, part(1, b"LALAMIKO", header, tlvs))
    assert peer.hear().status == 0
    (came,) = worker.mos
    assert (came.reference, came.total, came.number) == place
    assert (came.octets, came.data_coding, came.sender) == (b"LALAMIKO", 0, "255754000001")


@pytest.mark.parametrize(
    "header",
    [b"\5\0\3\x9a\1\1", b"\5\0\3\x9a\2\3", b"\5\0\3\x9a\2\0", b"\4\0\2\x9a\2", b"\xff\0\3"],
    ids=["one of one", "the third of two", "the part 0", "cut short", "longer than the message"],
)
def test_a_header_that_cannot_be_true_makes_no_part(peer, bound, header):
    worker = bound()
    peer.say(pdu.DELIVER_SM, 0, 3, part(1, b"HALI", header))
    assert peer.hear().status == 0
    assert isinstance(worker.mos[0], Mo)
