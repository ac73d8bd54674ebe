"""What is counted of screens, and what the counts tell."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussdapp.core.funnel import BOUNDS, BUCKETS, Fact, Seen, Step, facts, median, place

DAY = date(2026, 11, 22)
SCREEN = Seen("at", "sw", "main.mwanzo")


def in_bucket(number: int, count: int = 1) -> tuple[int, ...]:
    return tuple(count if number == one else 0 for one in range(BUCKETS))


def test_who_entered_and_neither_left_nor_ended_has_dropped() -> None:
    assert Fact(DAY, SCREEN, entries=10, exits=6, ended=1).dropped == 3


def test_what_was_left_more_often_than_entered_dropped_nobody() -> None:
    assert Fact(DAY, SCREEN, entries=1, exits=2).dropped == 0


def test_counts_by_their_written_names_are_facts() -> None:
    written = place(SCREEN)
    counts = {f"{written}entries": 3, f"{written}exits": 2, f"{written}wrong": 1,
              f"{written}ended": 1, f"{written}4": 2}  # fmt: skip
    (fact,) = facts(DAY, counts)
    assert fact == Fact(DAY, SCREEN, 3, 2, 1, 1, in_bucket(4, 2))


def test_what_is_not_so_written_is_left_out() -> None:
    assert facts(DAY, {"steps": 4, "a|b|c|d|entries": 1}) == ()


@given(st.text(), st.text())
def test_no_screen_is_counted_as_another_of_a_name_it_contains(channel: str, screen: str) -> None:
    written = place(Seen(channel, "sw", screen))
    (fact,) = facts(DAY, {f"{written}entries": 1})
    assert place(fact.seen) == written


def test_a_screen_shown_again_stays() -> None:
    assert Step("20261122", SCREEN, left=SCREEN).stays
    assert not Step("20261122", SCREEN).stays


def test_a_screen_in_another_language_is_the_same_screen() -> None:
    assert Step("20261122", SCREEN, left=Seen("at", "en", "main.mwanzo")).stays


def test_of_no_keys_there_is_no_median() -> None:
    assert Fact(DAY, SCREEN).median_s is None


@pytest.mark.parametrize(
    ("buckets", "told"),
    [
        ((1, *in_bucket(1)[1:]), 1.0),
        (in_bucket(0), 0.5),
        (in_bucket(3), 5.3),
        (in_bucket(BUCKETS - 1), 600.0),
        (tuple(a + b for a, b in zip(in_bucket(2, 5), in_bucket(7, 4), strict=True)), 3.7),
    ],
    ids=["one short and one a bit longer", "short", "some seconds", "longer than we tell", "odd"],
)
def test_the_median_lies_within_its_bucket(buckets: tuple[int, ...], told: float) -> None:
    assert median(buckets) == told


@given(st.lists(st.floats(0.01, 599), min_size=1, max_size=50))
def test_a_median_of_buckets_is_no_further_off_than_its_bucket_is_wide(times: list[float]) -> None:
    buckets = [0] * BUCKETS
    for time in times:
        buckets[sum(time >= bound for bound in BOUNDS)] += 1
    told, exact = median(buckets), sorted(times)[(len(times) - 1) // 2]
    assert told is not None
    edges = (0, *BOUNDS)
    number = sum(exact >= bound for bound in BOUNDS)
    assert edges[number] - 0.05 <= told <= edges[number + 1] + 0.05
