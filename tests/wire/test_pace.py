import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from tests.fakes.patience import PATIENCE
from tests.wire.peer import QUICK
from tests.wire.said import body
from ussdapp.wire import pdu
from ussdapp.wire.bodies import read_delivered
from ussdapp.wire.pace import Pace

OVER = threading.Event()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Ended:
    """An event that never comes; waiting for it makes time pass, at last a little late."""

    def __init__(self, clock: Clock, late: float = 0.0) -> None:
        self.clock, self.late = clock, late

    def wait(self, seconds: float) -> bool:
        self.clock.now += seconds + self.late
        return False


def leave(pace: Pace, clock: Clock, count: int, lane="bulk", late=0.0) -> list[float]:
    """The moments at which so many steps leave, from now on."""
    begun, moments = clock.now, []
    for _ in range(count):
        assert pace.turn(min(pace.step, 1 << 10), lane, Ended(clock, late))
        moments.append(round(clock.now - begun, 3))
    return moments


def test_a_pace_spreads_a_bulk_evenly_and_saves_up_nothing():
    clock = Clock()
    pace = Pace(10, clock)
    assert pace.step == 1
    assert leave(pace, clock, 4) == [0, 0.1, 0.2, 0.3]
    clock.now += 60
    # but for what it may make up for that woke late
    assert leave(pace, clock, 3) == [0, 0.05, 0.15]
    assert Pace(1000, clock).step == 10


def test_waking_late_costs_a_bulk_nothing_of_its_pace():
    clock = Clock()
    pace = Pace(1000, clock)
    moments = leave(pace, clock, 1001, late=0.002)
    assert moments[-1] < 10.2, "10,000 parts in ten seconds"


def test_express_between_two_windows_of_a_bulk_costs_it_no_more_than_its_own_step():
    clock = Clock()
    pace, begun = Pace(1000, clock), clock.now
    for _ in range(100):
        leave(pace, clock, 9)  # ten parts each
        clock.now += 0.03  # for its answers, and for the claim of the next
        leave(pace, clock, 1, lane="express")
    assert clock.now - begun < 10.3, "10,000 parts in ten seconds, and what is left to express"


def test_express_leaves_at_once_beside_a_bulk_that_makes_up_for_its_pauses():
    clock = Clock()
    pace = Pace(1000, clock)
    waits = []
    for _ in range(100):
        clock.now += 0.04  # for its answers, and for the claim of the next
        leave(pace, clock, 9)
        waits.append(pace.ask(1, "express"))
    assert set(waits) == {0.0}


@given(st.lists(st.tuples(st.sampled_from(["bulk", "express"]), st.floats(0, 2)), max_size=80))
@settings(max_examples=examples(200), deadline=None)
def test_no_second_ever_has_more_than_the_tps(asked):
    clock = Clock()
    pace = Pace(20, clock)
    moments = []
    for lane, idle in asked:
        clock.now += idle
        assert pace.turn(1, lane, Ended(clock))
        moments.append(clock.now)
    for moment in moments:
        assert sum(moment <= other < moment + 1 - 1e-6 for other in moments) <= 20


def test_express_leaves_at_once_while_the_second_has_room_and_the_bulk_pays_for_it():
    clock = Clock()
    pace = Pace(10, clock)
    assert leave(pace, clock, 10, "express") == [0] * 10
    assert leave(pace, clock, 1, "express") == [1.0], "the second was full"
    assert pace.ask(1, "bulk") > 0


def test_express_takes_the_next_step_while_a_bulk_waits_for_it():
    pace = Pace(200, clock := Clock())
    leave(pace, clock, 300)
    leave(pace, clock, 1, lane="express")  # the second is full
    waits = []

    class Meanwhile:
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            clock.now += seconds
            assert pace.ask(2, "bulk") > 0, "though its moment has come"
            return False

    assert pace.turn(1, "express", Meanwhile())
    assert len(waits) == 1
    assert waits[0] < 0.0101


def test_without_a_limit_nothing_waits():
    pace = Pace(0, Clock())
    assert pace.step > 1 << 16
    assert pace.ask(100_000, "bulk") == pace.ask(100_000, "bulk") == 0


def test_binds_share_the_tps():
    clock = Clock()
    pace = Pace(100, clock)
    pace.share(4)
    assert pace.rate == 25
    pace.share(2)
    assert pace.rate == 50
    pace.share(0)
    assert pace.rate == 100


def test_a_refusal_halves_the_pace_and_it_recovers_by_a_tenth_every_ten_seconds():
    clock = Clock()
    pace = Pace(100, clock)
    for _ in range(10):
        pace.taken(10)
        clock.now += 0.1
    pace.refused()
    rates = [pace.rate]
    pace.refused()  # of the same second: it is one and the same
    rates.append(pace.rate)
    for pause in (0.5, 10.0, 10.0, 100.0):
        clock.now += pause
        rates.append(pace.rate)
    took = 90 * 0.97  # of what the SMSC took in the second before
    assert [round(rate, 2) for rate in rates] == [
        round(rate, 2) for rate in (took / 2, took / 2, took, took * 1.1, 100, 100)
    ]


def test_one_refusal_does_not_stop_a_bind_and_an_unlimited_one_finds_its_pace():
    clock = Clock()
    pace = Pace(800, clock)
    pace.refused()
    clock.now += 1.0
    assert round(pace.rate) == 97, "an eighth: others use the account too"
    free = Pace(0, clock)
    free.taken(100)
    free.refused()
    clock.now += 1.0
    assert free.rate == 97
    clock.now += 700
    assert free.rate > 1e9


def test_a_bind_that_is_over_waits_for_no_turn():
    pace = Pace(0.01, Clock())
    assert pace.turn(1, "bulk", OVER)
    over = threading.Event()
    over.set()
    assert not pace.turn(1, "bulk", over)


# against an SMSC that takes so many a second


class Smsc:
    """One that counts by the second, and answers after a while."""

    def __init__(self, clock: Clock, limit: int, latency: float) -> None:
        self.clock, self.limit, self.latency = clock, limit, latency
        self.second, self.count = -1, 0
        self.taken = self.refused = 0
        self.answers: list[tuple[float, bool]] = []

    def take(self, parts: int) -> None:
        for _ in range(parts):
            if int(self.clock.now) != self.second:
                self.second, self.count = int(self.clock.now), 0
            self.count += 1
            self.answers.append((self.clock.now + self.latency, self.count <= self.limit))

    def answer(self, pace: Pace) -> None:
        while self.answers and self.answers[0][0] <= self.clock.now:
            if self.answers.pop(0)[1]:
                self.taken += 1
                pace.taken(1)
            else:
                self.refused += 1
                pace.refused()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tps", [1000, 150, 0])
def test_a_throttling_smsc_is_used_to_nine_tenths_and_refuses_little(seed, tps):
    draw = random.Random(seed)
    clock = Clock()
    clock.now += draw.random()
    smsc = Smsc(clock, 100, draw.uniform(0.001, 0.1))
    pace = Pace(tps, clock)
    end = clock.now + 120
    while clock.now < end:
        smsc.answer(pace)
        parts = min(pace.step, 100 - len(smsc.answers))  # a window of 100
        wait = pace.ask(parts, "bulk") if parts > 0 else 1.0
        if parts > 0 and not wait:
            smsc.take(parts)
        elif smsc.answers:
            clock.now = min(clock.now + wait, smsc.answers[0][0])
        else:
            clock.now += wait
    assert smsc.taken >= 0.9 * 100 * 120
    assert smsc.refused <= 0.05 * (smsc.taken + smsc.refused)


# on the wire


def test_an_urgent_one_overtakes_bulks_that_wait_for_their_pace(peer, bind_to):
    bind = bind_to(pace=Pace(100, time.monotonic), limits=QUICK)
    with ThreadPoolExecutor(3) as pool:
        bulks = [pool.submit(bind.submit, [body(b"bulk")] * 60) for _ in range(2)]
        peer.hear_all(10)
        urgent = pool.submit(bind.submit, [body(b"urgent")], "express")
        before = 10
        while read_delivered(peer.hear().body).short_message != b"urgent":
            before += 1
        assert before < 120, "some of the bulks left after it"
        peer.hang_up()
        assert len(urgent.result(PATIENCE)) == 1
        assert [len(bulk.result(PATIENCE)) for bulk in bulks] == [60, 60]


def test_a_bind_slows_down_as_soon_as_it_is_refused(peer, bind_to):
    pace = Pace(1000, time.monotonic)
    bind = bind_to(pace=pace)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bind.submit, [body(b"x")] * 400)
        first = peer.hear()
        peer.say(pdu.SUBMIT_SM | pdu.RESPONSE, 0x58, first.sequence)
        while pace.rate > 100:
            assert not waiting.done(), "it slowed down before its window was over"
        peer.hang_up()
        waiting.result(PATIENCE)
