from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ussdapp.core.webhook import (
    GIVEN_UP_AFTER,
    NOTIFICATION_FINAL,
    Answered,
    DeliveryStatus,
    Event,
    held,
    posted,
)

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATE = Answered(0, "too_slow")


def event(tries: int = 0) -> Event:
    return Event(1, "msg_1", NOTIFICATION_FINAL, NOON, tries)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_delivery(status):
    done = posted(event(), Answered(status, str(status)), NOON, 0.5)
    assert (done.status, done.due_at) == (DeliveryStatus.DELIVERED, None)


@pytest.mark.parametrize("status", [0, 100, 301, 302, 308, 400, 404, 410, 429, 500, 503])
def test_anything_else_is_tried_again(status):
    done = posted(event(), Answered(status, str(status)), NOON, 0.0)
    assert done.status is DeliveryStatus.WAITING
    assert done.due_at is not None
    assert done.due_at > NOON


def tried_until_given_up(chance: float) -> list[timedelta]:
    """The ages at which an event that is never taken is tried."""
    now, tries, ages = NOON, 0, []
    while True:
        ages.append(now - NOON)
        done = posted(event(tries), LATE, now, chance)
        if done.status is DeliveryStatus.GIVEN_UP:
            return ages
        assert done.due_at is not None
        now, tries = done.due_at, tries + 1


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_the_pauses_grow_and_the_last_try_is_after_72_hours(chance):
    ages = tried_until_given_up(chance)
    pauses = [later - earlier for earlier, later in pairwise(ages)]
    assert pauses[0] <= timedelta(seconds=5)
    assert all(later >= earlier for earlier, later in pairwise(pauses[:-1]))
    assert max(pauses) <= timedelta(hours=6)
    assert ages[-1] == GIVEN_UP_AFTER
    assert 15 <= len(ages) <= 40


def test_what_failed_together_is_not_tried_together():
    dues = {posted(event(5), LATE, NOON, chance / 10).due_at for chance in range(10)}
    assert len(dues) == 10


def test_a_webhook_that_asks_for_patience_gets_it():
    done = posted(event(), Answered(503, "503", patience=900.0), NOON, 0.5)
    assert done.due_at == NOON + timedelta(seconds=900)


def test_a_webhook_is_left_alone_ever_longer_and_five_minutes_at_most():
    longest = [held(failures, 0.999).total_seconds() for failures in range(1, 40)]
    assert longest == sorted(longest)
    assert longest[0] <= 1
    assert longest[-1] <= 300
    assert held(3, 0.0) < held(3, 0.9)
