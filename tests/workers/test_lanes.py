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
