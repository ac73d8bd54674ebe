import pytest

from ussdapp.wire.breaker import Breaker, Bulkhead, Shut


def broken(breaker: Breaker, at: float, times: int = 5) -> None:
    for _ in range(times):
        breaker.failed(breaker.enter(at), at)


def test_four_failures_in_a_row_are_borne():
    breaker = Breaker()
    broken(breaker, 0.0, times=4)
    breaker.enter(0.0)


def test_the_fifth_failure_in_a_row_shuts_it_for_ten_seconds():
    breaker = Breaker()
    broken(breaker, 0.0)
    with pytest.raises(Shut):
        breaker.enter(9.9)
    breaker.enter(10.0)


def test_an_answer_between_failures_begins_the_count_anew():
    breaker = Breaker()
    broken(breaker, 0.0, times=4)
    breaker.succeeded(breaker.enter(0.0))
    broken(breaker, 0.0, times=4)
    breaker.enter(0.0)


def test_only_one_call_probes():
    breaker = Breaker()
    broken(breaker, 0.0)
    breaker.enter(10.0)
    with pytest.raises(Shut):
        breaker.enter(10.0)


def test_a_probe_that_fails_shuts_it_again():
    breaker = Breaker()
    broken(breaker, 0.0)
    breaker.failed(breaker.enter(10.0), 15.0)
    with pytest.raises(Shut):
        breaker.enter(24.9)
    breaker.enter(25.0)


def test_a_probe_that_is_answered_lets_everybody_in():
    breaker = Breaker()
    broken(breaker, 0.0)
    breaker.succeeded(breaker.enter(10.0))
    for _ in range(3):
        breaker.enter(10.0)


def test_a_call_from_before_it_shut_does_not_open_it():
    breaker = Breaker()
    early = breaker.enter(0.0)
    broken(breaker, 0.0)
    breaker.succeeded(early)
    with pytest.raises(Shut):
        breaker.enter(5.0)


def test_a_late_failure_from_before_does_not_prolong_the_pause():
    breaker = Breaker()
    early = breaker.enter(0.0)
    broken(breaker, 0.0)
    breaker.failed(early, 9.0)
    assert breaker.enter(10.0).probe


def test_a_full_bulkhead_refuses_instead_of_queueing():
    bulkhead = Bulkhead(2)
    bulkhead.enter()
    bulkhead.enter()
    with pytest.raises(Shut):
        bulkhead.enter()
    bulkhead.leave()
    bulkhead.enter()
