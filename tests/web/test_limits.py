"""A key is used so many times a second, and told when it may be used again."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from ussdapp.web.limits import Limits


class Ticks:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_seconds_worth_may_come_at_once_and_then_one_by_one() -> None:
    ticks = Ticks()
    limits = Limits(ticks)
    assert [limits.pause(1, 4) for _ in range(4)] == [0.0] * 4
    pause = limits.pause(1, 4)
    assert pause == 0.25
    ticks.now += pause
    assert limits.pause(1, 4) == 0.0
    assert limits.pause(1, 4) > 0


def test_one_key_is_not_in_anothers_way() -> None:
    limits = Limits(Ticks())
    assert limits.pause(1, 1) == 0.0
    assert limits.pause(1, 1) > 0
    assert limits.pause(2, 1) == 0.0


def test_what_was_refused_counts_for_nothing() -> None:
    ticks = Ticks()
    limits = Limits(ticks)
    limits.pause(1, 1)
    pauses = [limits.pause(1, 1) for _ in range(100)]
    ticks.now += pauses[-1]
    assert limits.pause(1, 1) == 0.0


@given(st.lists(st.floats(0, 0.5), max_size=60), st.integers(1, 20))
def test_never_more_than_two_seconds_worth_in_a_second(gaps: list[float], rate: int) -> None:
    ticks = Ticks()
    limits = Limits(ticks)
    admitted = []
    for gap in gaps:
        ticks.now += gap
        if limits.pause(1, rate) == 0.0:
            admitted.append(ticks.now)
    for begin in admitted:
        assert sum(begin <= at < begin + 1 for at in admitted) <= 2 * rate + 1


def test_threads_together_get_no_more_than_one() -> None:
    limits, passed = Limits(Ticks()), []
    threads = [
        threading.Thread(target=lambda: passed.append(limits.pause(1, 50) == 0.0))
        for _ in range(200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 50
