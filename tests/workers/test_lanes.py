"""The lanes of a bind: what may be unanswered is shared, and nobody waits for bulk."""

import threading

import pytest

from ussdapp.core.notification import Lane
from workers.lanes import Lanes, shares


@pytest.mark.parametrize("window", [1, 3, 4, 10, 100, 500, 1000])
def test_the_shares_of_a_window_are_the_window(window: int) -> None:
    found = shares(window)
    assert sum(most for _, most in found) == window
    assert all(most > 0 for _, most in found)
    lanes = {lane for lane, _ in found}
    assert lanes in ({None}, {Lane.EXPRESS, Lane.BULK})


def test_an_urgent_window_is_delivered_while_bulk_is_stuck() -> None:
    stuck, urgent = threading.Event(), threading.Event()

    def deliver(lane: Lane | None, most: int) -> int:
        if lane is Lane.BULK:
            stuck.wait(10)
        else:
            urgent.set()
        return 0

    lanes = Lanes(100, deliver)
    threads = [threading.Thread(target=serve, daemon=True) for serve in lanes.threads()]
    for thread in threads:
        thread.start()
    lanes.ring()
    assert urgent.wait(5)
    stuck.set()
    lanes.stop()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_an_urgent_one_is_claimed_while_the_operator_has_not_answered_the_one_before() -> None:
    silent, claims = threading.Event(), threading.Semaphore(0)

    def deliver(lane: Lane | None, most: int) -> int:
        if lane is Lane.BULK:
            return 0
        claims.release()
        lanes.claimed(1)
        silent.wait(10)  # for the operator's answer
        return 1

    lanes = Lanes(100, deliver)
    threads = [threading.Thread(target=serve, daemon=True) for serve in lanes.threads()]
    for thread in threads:
        thread.start()
    lanes.ring_express()
    for _ in range(4):
        assert claims.acquire(timeout=5)
    lanes.stop()
    silent.set()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_of_the_threads_of_a_lane_one_claims_at_a_time() -> None:
    looking, most_looking = [], []
    over = threading.Event()

    def deliver(lane: Lane | None, most: int) -> int:
        if lane is Lane.EXPRESS:
            looking.append(1)
            most_looking.append(len(looking))
            looking.pop()
            if len(most_looking) > 50:
                over.set()
        lanes.claimed(1)
        return 1

    lanes = Lanes(100, deliver)
    threads = [threading.Thread(target=serve, daemon=True) for serve in lanes.threads()]
    for thread in threads:
        thread.start()
    lanes.ring()
    assert over.wait(10)
    lanes.stop()
    for thread in threads:
        thread.join(5)
    assert max(most_looking) == 1
