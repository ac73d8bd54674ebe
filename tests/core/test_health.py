"""A channel that fares badly is trusted with less at once, and with more by and by."""

from ussdapp.core.health import Health


def test_trouble_halves_the_share_at_once_and_it_drifts_back() -> None:
    health = Health().after(100, 30, 0.1, now=10)
    assert health.share == 0.5
    for second in range(11, 40):
        health = health.after(100, 0, 0.1, now=second)
    assert health.share == 1.0


def test_a_channel_in_trouble_keeps_the_little_by_which_it_is_seen_to_recover() -> None:
    health = Health()
    for second in range(10, 60):
        health = health.after(10, 10, 0.1, now=second)
    assert health.share == 0.05


def test_many_windows_in_a_second_change_it_once() -> None:
    health = Health()
    for _ in range(50):
        health = health.after(100, 100, 0.1, now=10)
    assert health.share == 0.5


def test_slow_answers_are_trouble_and_a_few_refusals_are_none() -> None:
    assert Health().after(10, 0, 30.0, now=10).share == 0.5
    assert Health().after(100, 10, 0.1, now=10).share == 1.0


def test_a_window_that_keeps_to_its_pace_is_not_slow() -> None:
    assert Health().after(90, 0, 18.0, now=10).share == 1.0
