"""Texts of several parts, and what becomes of each."""

from collections import Counter

import pytest

from tests.channels.smpp.worker import LONG, answer, submission
from tests.fakes.patience import PATIENCE
from ussdapp.core.parts import split
from ussdapp.ports import Deferred, InDoubt, Rejected, Submitted
from ussdapp.wire.bodies import read_delivered
from ussdapp.wire.receipt_text import decoded


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


def test_a_long_text_with_a_part_unanswered_is_in_doubt_and_tells_what_was_taken(smsc, worker):
    smsc.control(set={"silent_every": 2})
    (outcome,) = worker.channel.submit([submission(text=LONG)])
    first, _, third = smsc.accepted()
    assert outcome == InDoubt("no_answer", ((1, first["message_id"]), (3, third["message_id"])))


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
