"""The lanes of a bind: what may be unanswered is shared, and nobody waits for bulk."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.fakes.patience import PATIENCE
from ussdapp.core.notification import Lane
from workers.lanes import Lanes, shares


@contextmanager
def served(
    deliver: Callable[[Lanes, Lane | None], int],
    ticks: Callable[[], float] = lambda: 0.0,
    window: int = 100,
) -> Iterator[Lanes]:
    """Lanes that run until the end; their threads end with them."""
    lanes = Lanes(window, lambda lane, _: deliver(lanes, lane), ticks)
    threads = [threading.Thread(target=serve, daemon=True) for serve in lanes.threads()]
    for thread in threads:
        thread.start()
    yield lanes
    lanes.stop()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("window", [1, 3, 4, 10, 100, 500, 1000])
def test_the_shares_of_a_window_are_the_window(window: int) -> None:
    found = shares(window)
    assert sum(most for _, most in found) == window
    assert all(most > 0 for _, most in found)
    lanes = {lane for lane, _ in found}
    assert lanes in ({None}, {Lane.EXPRESS, Lane.BULK})


def test_an_urgent_window_is_delivered_while_bulk_is_stuck() -> None:
    stuck, urgent = threading.Event(), threading.Event()

    def deliver(lanes: Lanes, lane: Lane | None) -> int:
        if lane is Lane.BULK:
            stuck.wait()
        else:
            urgent.set()
        return 0

    with served(deliver) as lanes:
        lanes.ring()
        assert urgent.wait(PATIENCE)
        stuck.set()


def test_an_urgent_one_is_claimed_while_the_operator_has_not_answered_the_one_before() -> None:
    silent, claims = threading.Event(), threading.Semaphore(0)

    def deliver(lanes: Lanes, lane: Lane | None) -> int:
        if lane is Lane.BULK:
            return 0
        claims.release()
        lanes.claimed(1)
        silent.wait()  # for the operator's answer
        return 1

    with served(deliver) as lanes:
        for _ in range(4):
            lanes.ring_express()
            assert claims.acquire(timeout=PATIENCE)
        silent.set()


def test_where_several_were_found_the_next_thread_looks_at_once() -> None:
    silent, claims = threading.Event(), threading.Semaphore(0)

    def deliver(lanes: Lanes, lane: Lane | None) -> int:
        if lane is Lane.EXPRESS:
            claims.release()
            lanes.claimed(2)
            silent.wait()
        return 0

    with served(deliver) as lanes:
        lanes.ring_express()
        for _ in range(4):
            assert claims.acquire(timeout=0.9)  # before anybody looks unasked
        silent.set()


def test_where_a_thread_claims_one_at_most_and_found_it_the_next_looks_at_once() -> None:
    silent, claims = threading.Event(), threading.Semaphore(0)

    def deliver(lanes: Lanes, lane: Lane | None) -> int:
        if lane is Lane.EXPRESS:
            claims.release()
            lanes.claimed(1)
            silent.wait(10)
        return 0

    small = 30  # an express share of three, one for each thread
    with served(deliver, window=small) as lanes:
        lanes.ring_express()
        for _ in range(3):
            assert claims.acquire(timeout=0.9)  # before anybody looks unasked
        silent.set()


def test_of_the_threads_of_a_lane_one_claims_at_a_time() -> None:
    looking, most_looking = [], []
    over = threading.Event()

    def deliver(lanes: Lanes, lane: Lane | None) -> int:
        if lane is Lane.EXPRESS:
            looking.append(1)
            most_looking.append(len(looking))
            looking.pop()
            if len(most_looking) > 50:
                over.set()
        lanes.claimed(2)
        return 2

    with served(deliver) as lanes:
        lanes.ring()
        assert over.wait(PATIENCE)
    assert max(most_looking) == 1


@pytest.mark.parametrize(
    ("lane", "rows", "seconds", "rests"),
    [
        (Lane.EXPRESS, 1, 9.0, True),
        (Lane.EXPRESS, 1, 11.0, False),  # nothing express for a while
        (Lane.EXPRESS, 0, 0.0, False),  # looked, and found nothing
        (Lane.BULK, 450, 0.0, False),
    ],
)
def test_a_bulk_rests_by_what_it_claimed_while_something_express_comes(
    lane: Lane,
    rows: int,
    seconds: float,
    rests: bool,
) -> None:
    now, over = [100.0], threading.Event()

    def deliver(lanes: Lanes, served: Lane | None) -> int:
        if served is lane:
            lanes.claimed(rows)
            over.set()
        return 0

    with served(deliver, lambda: now[0]) as lanes:
        lanes.ring()
        assert over.wait(PATIENCE)
        now[0] += seconds
        lanes.claimed(450)  # of a bulk, in this thread
        long = lanes.rest_s()
        lanes.claimed(9)
        assert lanes.rest_s() == pytest.approx(long / 50)
        assert (long > 0) is rests


def test_a_bulk_whose_window_took_long_already_rests_no_more() -> None:
    now, over = [100.0], threading.Event()

    def deliver(lanes: Lanes, served: Lane | None) -> int:
        if served is Lane.EXPRESS:
            lanes.claimed(1)
            over.set()
        return 0

    with served(deliver, lambda: now[0]) as lanes:
        lanes.ring()
        assert over.wait(5)
        lanes.claimed(450)
        assert lanes.rest_s() > 0
        now[0] += 1.0  # the operator took 450 a second
        assert lanes.rest_s() == 0
