"""What leaves waits for its turn: by pace, by window and by lane, until it is of no use."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.channels.smpp.worker import SUBMIT_RESP, submission
from tests.channels.throttled import LIMIT, Backlog, channel_to
from tests.fakes.patience import PATIENCE
from ussdapp.core.notification import Lane
from ussdapp.ports import Deferred, Submitted
from ussdapp.wire.bodies import read_delivered


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


def test_a_pace_keeps_parts_apart_without_waiting_for_answers(peer, bound, pool):
    worker = bound(tps=50, response_s=10)
    waiting = pool.submit(worker.channel.submit, [submission(n) for n in range(10)])
    heard = peer.hear_all(10)  # all of them, though none was answered
    assert not waiting.done()
    for one in heard:
        peer.say(SUBMIT_RESP, 0, one.sequence, b"%d\0" % one.sequence)
    assert len(waiting.result(PATIENCE)) == 10


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
