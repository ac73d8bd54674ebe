"""What is submitted over SMPP, and what each answer means."""

import pytest

from tests.channels.smpp.worker import SUBMIT_RESP, answer, submission
from tests.fakes.patience import PATIENCE, until
from ussdapp.channels.smpp.codes import STATES, STATUSES
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Rejected, Submitted
from ussdapp.wire import pdu
from ussdapp.wire.bodies import read_delivered


def test_a_window_is_submitted_and_each_row_gets_its_message_id(smsc, worker):
    rows = [submission(n, f"Habari {n}") for n in range(250)]  # more than a window of parts
    outcomes = worker.channel.submit(rows)
    lines = smsc.accepted()
    assert [line["text"] for line in lines] == [row.text for row in rows]
    assert [line["destination"] for line in lines] == [row.msisdn.digits for row in rows]
    assert outcomes == [Submitted((line["message_id"],)) for line in lines]
    until(lambda: len(worker.receipts) == 250)
    ids = {receipt.message_id for receipt in worker.receipts}
    assert ids == {line["message_id"] for line in lines}
    assert worker.receipts[0].account == "vodacom"
    assert {receipt.status for receipt in worker.receipts} == {Status.DELIVERED}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x0B, Rejected("ESME_RINVDSTADR")),
        (0x0A, Rejected("ESME_RINVSRCADR")),
        (0x14, Deferred("ESME_RMSGQFUL", 60.0)),
        (0x58, Deferred("ESME_RTHROTTLED", 2.0)),
        (0x45, Deferred("ESME_RSUBMITFAIL", 15.0, counts=True)),
        (0x401, InDoubt("0x401")),
        (0xFF, InDoubt("0xff")),
    ],
    ids=["destination", "source", "queue full", "throttled", "failed", "their own code", "unknown"],
)
def test_a_status_is_looked_up_and_what_no_table_knows_is_doubt(smsc, worker, status, outcome):
    smsc.control(set={"refuse_suffix": "9", "refuse_status": status})
    outcomes = worker.channel.submit([submission(1), submission(9)])
    assert isinstance(outcomes[0], Submitted)
    assert outcomes[1] == outcome


def test_no_table_turns_a_refusal_into_success():
    assert not [s for s, outcome in STATUSES.items() if isinstance(outcome, Submitted)]
    assert STATES["ACCEPTD"] is Status.SUBMITTED, "accepted is not delivered"


def test_no_answer_is_doubt_and_no_bind_is_patience(smsc, worker):
    smsc.control(set={"silent_every": 1})
    assert worker.channel.submit([submission()]) == [InDoubt("no_answer")]
    smsc.control(disconnect=True)
    until(lambda: not worker.channel.ready())
    assert worker.channel.submit([submission()]) == [Deferred("unbound", 5.0)]
    assert len(smsc.accepted()) == 1


def test_what_cannot_be_written_is_rejected_and_never_leaves(smsc, worker):
    rows = [submission(text="x" * 2000), submission(sender_id="x" * 21), submission(sender_id="é")]
    assert worker.channel.submit(rows) == [
        Rejected("too_long"),
        Rejected("sender_id"),
        Rejected("sender_id"),
    ]
    assert smsc.accepted() == []


def test_taken_without_a_message_id_is_submitted_with_none(peer, bound, pool):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission()])
    peer.say(SUBMIT_RESP, 0, peer.hear().sequence, b"\0")
    assert waiting.result(PATIENCE) == [Submitted(("",))]


def test_an_answer_that_comes_after_it_was_given_up_is_told_once(peer, bound, pool):
    worker = bound(response_s=0.2)
    row = submission(text="x" * 300)
    waiting = pool.submit(worker.channel.submit, [row])
    first, second = peer.hear_all(2)
    assert waiting.result(PATIENCE) == [InDoubt("no_answer")]
    assert worker.channel.late() == []
    peer.say(SUBMIT_RESP, 0, second.sequence, b"two\0")
    assert eventually(worker.channel.late) == [(row, InDoubt("no_answer", ((2, "two"),)))]
    peer.say(SUBMIT_RESP, 0, first.sequence, b"one\0")
    assert eventually(worker.channel.late) == [(row, Submitted(("one", "two")))]
    peer.say(SUBMIT_RESP, 0, first.sequence, b"one\0")
    peer.say(pdu.ENQUIRE_LINK, 0, 77)
    assert peer.hear().sequence == 77
    assert worker.channel.late() == []


def eventually(told):
    found = []
    until(lambda: found.extend(told()) or found)
    return found


def test_what_the_smsc_cannot_read_is_written_once_more_and_then_rejected(peer, bound, pool):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission(1), submission(2)])
    first, second = peer.hear_all(2)
    peer.say(pdu.GENERIC_NACK, 0x03, second.sequence)
    peer.say(SUBMIT_RESP, 0, first.sequence, b"one\0")
    again = peer.hear()
    assert (again.body, again.sequence) == (second.body, second.sequence + 1)
    peer.say(pdu.GENERIC_NACK, 0x03, again.sequence)
    assert waiting.result(PATIENCE) == [Submitted(("one",)), Rejected("generic_nack 0x3")]


def test_what_is_read_the_second_time_is_taken(peer, bound, pool):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission()])
    peer.say(pdu.GENERIC_NACK, 0x03, peer.hear().sequence)
    peer.say(SUBMIT_RESP, 0, peer.hear().sequence, b"one\0")
    assert waiting.result(PATIENCE) == [Submitted(("one",))]


@pytest.mark.parametrize(
    ("sender_id", "spelt"),
    [
        ("15200", b"\x03\x0015200\0"),
        ("eGA", b"\x05\x00eGA\0"),
        ("255754000999", b"\x01\x01255754000999\0"),
    ],
    ids=["short code", "alphanumeric", "MSISDN"],
)
def test_a_sender_id_says_of_which_type_it_is(peer, bound, pool, sender_id, spelt):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission(sender_id=sender_id)])
    (body,) = answer(peer, 1, [])
    assert body.startswith(b"\0" + spelt + b"\x01\x01255754000001\0")
    assert read_delivered(body).registered_delivery == 1
    assert isinstance(waiting.result(PATIENCE)[0], Submitted)


def test_a_full_queue_is_left_alone_for_longer_every_time(peer, bound, pool):
    worker = bound()
    for attempt, pause in ((1, 60.0), (2, 120.0), (9, 300.0)):
        row = submission(attempt=attempt)
        waiting = pool.submit(worker.channel.submit, [row, submission(2)])
        answer(peer, 2, [0x14])
        deferred, other = waiting.result(PATIENCE)
        assert deferred == Deferred("ESME_RMSGQFUL", pause)
        assert isinstance(other, Submitted)


def test_an_answer_comes_late_to_the_row_it_belongs_to(peer, bound, pool):
    worker = bound(response_s=0.2)
    rows = [submission(n) for n in range(1, 4)]
    waiting = pool.submit(worker.channel.submit, rows)
    heard = peer.hear_all(3)
    assert waiting.result(PATIENCE) == [InDoubt("no_answer")] * 3
    peer.say(SUBMIT_RESP, 0, heard[1].sequence, b"two\0")
    peer.say(SUBMIT_RESP, 0x0B, heard[2].sequence)
    told = []
    until(lambda: told.extend(worker.channel.late()) or len(told) == 2)
    assert told == [(rows[1], Submitted(("two",))), (rows[2], Rejected("ESME_RINVDSTADR"))]
