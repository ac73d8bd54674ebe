import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.channels.throttled import LIMIT, Backlog, channel_to
from tests.fakes.patience import PATIENCE, until
from tests.fakes.smsc import ForkedSmsc
from tests.wire.peer import Peer
from ussdapp.channels import smpp
from ussdapp.channels.smpp.codes import STATES, STATUSES
from ussdapp.core.inbound import Mo, Receipt
from ussdapp.core.mo_parts import joined
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Lane
from ussdapp.core.parts import split
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Rejected, Submission, Submitted, Unavailable
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, SubmitFields, read_delivered, submit_body
from ussdapp.wire.receipt_text import decoded

LONG = "Ndugu mwananchi, ombi lako {1} limepokelewa. " * 9
SUBMIT_RESP = pdu.SUBMIT_SM | pdu.RESPONSE


def submission(
    place=1, text="Habari", sender_id="15200", attempt=1, taken=frozenset()
) -> Submission:
    msisdn = Msisdn(f"255754000{place:03}")
    return Submission(place, attempt, msisdn, text, sender_id, taken=taken)


class Worker:
    """What a worker does with a channel: keeps what comes, or cannot."""

    def __init__(self, port: int, **options: object) -> None:
        self.receipts: list[Receipt] = []
        self.mos: list[Mo] = []
        self.down = False
        given = {"host": "127.0.0.1", "port": port, "system_id": "ega", "password": "secret"}
        self.channel = smpp.build("vodacom", {**given, "response_s": 1, **options})
        self.channel.open(self._keep(self.receipts), self._keep(self.mos))

    def _keep(self, kept: list):
        def keep(came: list) -> None:
            if self.down:
                raise Unavailable
            kept.extend(came)

        return keep


@pytest.fixture
def smsc(tmp_path):
    with ForkedSmsc(tmp_path / "ledger.jsonl") as smsc:
        yield smsc


@pytest.fixture
def worker(smsc):
    worker = Worker(smsc.port)
    worker.channel.keep_bound()
    assert worker.channel.ready()
    yield worker
    worker.channel.close()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(3) as pool:
        yield pool


@pytest.fixture
def bound(peer, pool):
    """Makes workers that are bound to the scripted peer."""
    made = []

    def bind(**options: object) -> Worker:
        worker = Worker(peer.port, **options)
        welcomed = pool.submit(peer.welcome)
        worker.channel.keep_bound()
        welcomed.result(PATIENCE)
        made.append(worker)
        return worker

    yield bind
    peer.close()
    for worker in made:
        worker.channel.close()


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


@pytest.mark.parametrize("text", [LONG, LONG + "😀"], ids=["GSM-7", "UCS-2"])
def test_a_long_text_leaves_in_parts_that_join_to_it(smsc, worker, text):
    (outcome,) = worker.channel.submit([submission(text=text)])
    lines = smsc.accepted()
    assert len(lines) > 1
    assert "".join(line["text"] for line in lines) == text
    assert {line["udh"]["ref"] for line in lines} == {lines[0]["udh"]["ref"]}
    assert outcome == Submitted(tuple(line["message_id"] for line in lines))


def test_two_long_texts_do_not_share_a_reference(smsc, worker):
    worker.channel.submit([submission(1, LONG), submission(2, LONG)])
    references = Counter(line["udh"]["ref"] for line in smsc.accepted())
    assert len(references) == 2


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


def test_a_long_text_with_a_part_unanswered_is_in_doubt_and_tells_what_was_taken(smsc, worker):
    smsc.control(set={"silent_every": 2})
    (outcome,) = worker.channel.submit([submission(text=LONG)])
    first, _, third = smsc.accepted()
    assert outcome == InDoubt("no_answer", ((1, first["message_id"]), (3, third["message_id"])))


def test_what_cannot_be_written_is_rejected_and_never_leaves(smsc, worker):
    rows = [submission(text="x" * 2000), submission(sender_id="x" * 21), submission(sender_id="é")]
    assert worker.channel.submit(rows) == [
        Rejected("too_long"),
        Rejected("sender_id"),
        Rejected("sender_id"),
    ]
    assert smsc.accepted() == []


def answer(peer: Peer, count: int, statuses: list[int]) -> list[bytes]:
    """Answers `count` submits, the first ones with those statuses; returns their bodies."""
    heard = peer.hear_all(count)
    for one, status in zip(heard, [*statuses, *[0] * count], strict=False):
        message_id = b"" if status else b"id-%d\0" % one.sequence
        peer.say(SUBMIT_RESP, status, one.sequence, message_id)
    return [one.body for one in heard]


def test_only_the_missing_part_of_a_text_is_submitted_again(peer, bound, pool):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission(text="x" * 300)])
    first, second = answer(peer, 2, [0x58])
    deferred = Deferred("ESME_RTHROTTLED", 2.0, taken=((2, "id-3"),))
    assert waiting.result(PATIENCE) == [deferred], (
        "it waits for its turn, and the part is not forgotten"
    )
    later = submission(text="x" * 300, attempt=2, taken=frozenset({2}))
    waiting = pool.submit(worker.channel.submit, [later])
    (again,) = answer(peer, 1, [])
    assert again == first != second, "with the reference of the part that was taken"
    assert waiting.result(PATIENCE) == [Submitted(("id-4",))]


def test_a_text_with_one_part_refused_for_good_is_rejected_and_tells_what_was_taken(
    peer, bound, pool
):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission(text="x" * 300)])
    answer(peer, 2, [0x0B])
    assert waiting.result(PATIENCE) == [Rejected("ESME_RINVDSTADR", ((2, "id-3"),))]


def test_a_text_none_of_whose_parts_was_taken_waits_as_a_whole(peer, bound, pool):
    worker = bound()
    waiting = pool.submit(worker.channel.submit, [submission(text="x" * 300)])
    answer(peer, 2, [0x58, 0x14])
    assert waiting.result(PATIENCE) == [Deferred("ESME_RMSGQFUL", 60.0)]


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
    ("form", "written"),
    [
        ("relative", rb"000000\d{6}000R"),
        ("absolute", rb"\d{12}000\+"),
        ("off", rb""),
    ],
)
def test_the_smsc_is_told_how_long_a_text_is_of_use(peer, bound, pool, form, written):
    worker = bound(validity=form)
    until = datetime.now(UTC) + timedelta(hours=1)
    rows = [submission(1), submission(2, text="\u4e09" * 90)]
    rows = [row._replace(expires_at=until) for row in rows]
    waiting = pool.submit(worker.channel.submit, rows)
    for heard in peer.hear_all(3):
        before = rb"\x00..[^\x00]*\x00..[^\x00]*\x00.\x00{3}"
        assert re.fullmatch(before + written + rb"\x00\x01.*", heard.body, re.DOTALL)
        assert read_delivered(heard.body).registered_delivery == 1
        peer.say(SUBMIT_RESP, 0, heard.sequence, b"%d\0" % heard.sequence)
    assert all(isinstance(outcome, Submitted) for outcome in waiting.result(PATIENCE))


def test_what_expires_before_its_turn_does_not_leave(peer, bound, pool):
    worker = bound()
    late = submission(1)._replace(expires_at=datetime.now(UTC))
    waiting = pool.submit(worker.channel.submit, [late, submission(2)])
    heard = peer.hear()
    assert read_delivered(heard.body).destination_addr == submission(2).msisdn.digits
    peer.say(SUBMIT_RESP, 0, heard.sequence, b"two\0")
    assert waiting.result(PATIENCE) == [Deferred("expired", 0.0), Submitted(("two",))]


def test_what_waits_for_a_slow_pace_is_looked_at_again_before_it_leaves(peer, bound, pool):
    worker = bound(tps=1, response_s=20)
    until = datetime.now(UTC) + timedelta(seconds=3)
    rows = [submission(place)._replace(expires_at=until) for place in range(1, 9)]
    waiting = pool.submit(worker.channel.submit, rows)
    for _ in range(5):
        heard = peer.hear()
        peer.say(SUBMIT_RESP, 0, heard.sequence, b"%d\0" % heard.sequence)
    outcomes = waiting.result(PATIENCE)
    assert outcomes[-1] == Deferred("expired", 0.0)


def test_no_more_than_a_window_of_parts_is_unanswered(peer, bound, pool):
    worker = bound(window=3, response_s=10)
    waiting = pool.submit(worker.channel.submit, [submission(n) for n in range(7)])
    for count in (3, 3, 1):
        heard = peer.hear_all(count)
        peer.connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            peer.hear()
        peer.connection.settimeout(PATIENCE)
        for one in heard:
            peer.say(SUBMIT_RESP, 0, one.sequence, b"%d\0" % one.sequence)
    assert len(set(waiting.result(PATIENCE))) == 7


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


def test_a_pace_keeps_parts_apart_without_waiting_for_answers(peer, bound, pool):
    worker = bound(tps=50, response_s=10)
    waiting = pool.submit(worker.channel.submit, [submission(n) for n in range(10)])
    heard = peer.hear_all(10)  # all of them, though none was answered
    assert not waiting.done()
    for one in heard:
        peer.say(SUBMIT_RESP, 0, one.sequence, b"%d\0" % one.sequence)
    assert len(waiting.result(PATIENCE)) == 10


def test_a_full_queue_is_left_alone_for_longer_every_time(peer, bound, pool):
    worker = bound()
    for attempt, pause in ((1, 60.0), (2, 120.0), (9, 300.0)):
        row = submission(attempt=attempt)
        waiting = pool.submit(worker.channel.submit, [row, submission(2)])
        answer(peer, 2, [0x14])
        deferred, other = waiting.result(PATIENCE)
        assert deferred == Deferred("ESME_RMSGQFUL", pause)
        assert isinstance(other, Submitted)


def test_a_window_may_mix_texts_of_one_part_of_several_and_of_none(peer, bound, pool):
    worker = bound()
    rows = [
        submission(1),
        submission(2, "x" * 300),
        submission(3, "x" * 2000),
        submission(4, "Asante 😀"),
        submission(5),
    ]
    waiting = pool.submit(worker.channel.submit, rows)
    answer(peer, 5, [0, 0, 0x0B, 0, 0])
    assert waiting.result(PATIENCE) == [
        Submitted(("id-2",)),
        Rejected("ESME_RINVDSTADR", ((1, "id-3"),)),
        Rejected("too_long"),
        Submitted(("id-5",)),
        Submitted(("id-6",)),
    ]


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


@pytest.mark.parametrize("text", [LONG, LONG + "😀"], ids=["GSM-7", "UCS-2"])
def test_a_long_text_may_say_its_places_in_parameters(peer, bound, pool, text):
    worker = bound(long_text="sar", sar_references=250)
    count = len(split(text))
    waiting = pool.submit(worker.channel.submit, [submission(517, text)])
    parts = [read_delivered(body) for body in answer(peer, count, [])]
    assert [one.tlvs for one in parts] == [
        {0x20C: b"\0\x11", 0x20E: bytes((count,)), 0x20F: bytes((number,))}
        for number in range(1, count + 1)
    ]
    assert {one.esm_class for one in parts} == {0}
    joined = b"".join(one.short_message for one in parts)
    assert decoded(joined, parts[0].data_coding) == text
    assert len(waiting.result(PATIENCE)[0].message_ids) == count


@pytest.mark.parametrize("text", [LONG, LONG + "😀"], ids=["GSM-7", "UCS-2"])
def test_a_long_text_may_leave_whole(peer, bound, pool, text):
    worker = bound(long_text="payload")
    rows = [submission(1, text), submission(2)]
    waiting = pool.submit(worker.channel.submit, rows)
    long, short = [read_delivered(body) for body in answer(peer, 2, [])]
    assert decoded(long.tlvs[0x424], long.data_coding) == text
    assert (long.esm_class, short.tlvs) == (0, {})
    assert waiting.result(PATIENCE) == [Submitted(("id-2",)), Submitted(("id-3",))]


def test_express_overtakes_a_bulk_in_its_pace(peer, bound, pool):
    worker = bound(tps=50)
    rows = [submission(n, "bulk") for n in range(100)]
    bulk = pool.submit(worker.channel.submit, rows, Lane.BULK)
    peer.hear()
    urgent = pool.submit(worker.channel.submit, [submission(200, "urgent")], Lane.EXPRESS)
    before = 1
    while read_delivered((one := peer.hear()).body).short_message != b"urgent":
        before += 1
    assert before < 100
    peer.say(SUBMIT_RESP, 0, one.sequence, b"7\0")
    assert urgent.result(PATIENCE) == [Submitted(("7",))]
    assert not bulk.done()
    peer.hang_up()
    assert len(bulk.result(PATIENCE)) == 100


def test_binds_share_the_tps_of_their_channel(peer, bound, pool):
    worker = bound(tps=100)
    worker.channel.share(100)  # one a second
    waiting = pool.submit(worker.channel.submit, [submission(n) for n in range(3)])
    peer.hear()
    peer.connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        peer.hear()
    peer.hang_up()
    assert waiting.result(PATIENCE)[1:] == [Deferred("unbound", 5.0)] * 2


def test_a_throttling_smsc_gets_every_row_in_the_end_and_none_twice(smsc):
    smsc.control(set={"throttle_tps": LIMIT})
    channel, backlog = channel_to(smsc.port), Backlog(150)
    while backlog.rows:
        backlog.submit(channel)
    channel.close()
    assert (backlog.became["taken"], backlog.became["failed"]) == (150, 0)
    assert len({line["text"] for line in smsc.accepted()}) == len(smsc.accepted()) == 150


# what comes in


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


def receipt(text: bytes, esm_class: int = 4) -> bytes:
    handset, code = Address(1, 1, "+255754000001"), Address(0, 0, "15200")
    return submit_body(SubmitFields(handset, code, text, esm_class=esm_class))


def part(
    number: int, octets: bytes, header: bytes = b"", tlvs: dict | None = None, coding: int = 0
) -> bytes:
    handset, code = Address(1, 1, "255754000001"), Address(0, 0, "15200")
    esm_class = 0x40 if header else 0
    fields = SubmitFields(handset, code, header + octets, coding, esm_class, tlvs=tlvs or {})
    return submit_body(fields)


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


# configuration


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"host": None}, "host"),
        ({"port": "2775"}, "port"),
        ({"password": "123456789"}, "password"),
        ({"system_id": "x" * 16}, "system_id"),
        ({"bind_type": "both"}, "bind_type"),
        ({"window": 0}, "window"),
        ({"tps": "fast"}, "tps"),
        ({"response_s": -1}, "response_s"),
        ({"long_text": "long"}, "long_text"),
        ({"sar_references": 1}, "sar_references"),
        ({"pdu_octets": 1 << 20}, "pdu_octets"),
        ({"alphabet": "ebcdic"}, "alphabet"),
        ({"states": {"0": "sent"}}, "states"),
        ({"states": "0"}, "states"),
        ({"statuses": {"0x401": "delivered"}}, "statuses"),
        ({"statuses": {"0": "rejected"}}, "statuses"),
        ({"tls": True, "ca_file": "/nowhere"}, "ca_file"),
    ],
)
def test_a_wrong_option_is_named(wrong, named):
    options = {"host": "h", "port": 1, "system_id": "ega", "password": "secret", **wrong}
    with pytest.raises(ValueError, match=named):
        smpp.build("vodacom", options)


def test_a_password_may_be_in_a_file_and_stays_out_of_reprs(tmp_path):
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    options = smpp.read_options(
        {"host": "h", "port": 1, "system_id": "ega", "password_file": str(path)}
    )
    assert options.login.password == "s3cret"
    assert "s3cret" not in repr(options)
