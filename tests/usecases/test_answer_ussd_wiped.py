"""Whatever happens to Redis, the next key shows the right screen."""

from dataclasses import replace

import pytest
from redis import Redis

from tests.fakes.dialogue import FakeSessions, Handset, World
from tests.usecases.answering import PATH, WORDS, Elsewhere, handset, real_sessions, shown_by
from ussdapp.ports import Sessions, Unavailable


@pytest.mark.parametrize("lost_at", range(1, len(PATH) + 1))
def test_redis_wiped_before_any_step_the_next_key_shows_the_right_screen(lost_at: int) -> None:
    expected = shown_by(World(), None)
    assert shown_by(World(), lost_at) == expected


def test_redis_wiped_after_the_effect_the_repeat_gets_the_same_reference(world: World) -> None:
    phone = handset(world)
    phone.dials()
    filed = phone.keys_in(*PATH)
    world.sessions.wipe()
    assert phone.sends("*".join(PATH)) == filed
    assert len(world.cases.cases) == 1


def test_with_redis_down_the_whole_dialogue_goes_on(world: World) -> None:
    expected = shown_by(World(), None)
    world.sessions.down = True
    assert shown_by(world, None) == expected


def test_redis_wiped_in_an_english_dialogue_it_stays_english(world: World) -> None:
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    phone.dials()
    phone.keys_in("8", "2", "9")
    world.sessions.wipe()
    assert phone.keys_in("2").text.startswith("e-Mrejesho: speak to a public institution")


def test_a_wiped_dialogue_remembers_the_tries_at_a_reference(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    (case,) = world.cases.cases.values()
    again = replace(handset(world), session_id="ATUid_2")
    again.dials()
    again.keys_in("9", "2", "2", "1234", "482130000016")
    world.sessions.wipe()
    assert str(case.reference) in again.keys_in(case.reference.digits).text


def test_a_plain_step_takes_one_round_trip_to_redis(world: World) -> None:
    phone = handset(world)
    phone.dials()
    world.sessions.trips = 0
    phone.keys_in("9", "2", "1", "1", "ega", "Piga *152*00#", "1")
    assert world.sessions.trips == 7


@pytest.mark.parametrize("lost_at", [3, 6, 8])
def test_on_redis_a_wipe_shows_the_right_screen_next(redis_url: str, lost_at: int) -> None:
    sessions: Sessions = real_sessions(redis_url)
    world = World(sessions=sessions)  # type: ignore[arg-type]
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    screens = [phone.dials()]
    for number, key in enumerate(PATH, 1):
        if number == lost_at:
            Redis.from_url(redis_url).flushall()
        screens.append(phone.keys_in(key))
    assert screens == shown_by(World(), None)


def test_a_session_store_that_nobody_serves_leaves_the_dialogue_running() -> None:
    world = World(sessions=real_sessions("redis://127.0.0.1:1"))  # type: ignore[arg-type]
    phone = handset(world)
    phone.dials()
    assert phone.keys_in(*PATH).ends
    assert len(world.cases.cases) == 1


class SlowSessions(FakeSessions):
    """Fails on one trip, counted from the first."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.fails_at = fails_at

    def _reach(self) -> None:
        super()._reach()
        if self.trips == self.fails_at:
            raise Unavailable("sessions")


@pytest.mark.parametrize("fails_at", range(1, 12))
def test_redis_failing_once_changes_no_screen(fails_at: int) -> None:
    world = World(sessions=SlowSessions(fails_at))
    phone = handset(world)
    shown = [phone.dials(), *(phone.keys_in(key) for key in PATH)]
    assert shown == shown_by(World(), None)
    assert [case.words for case in world.cases.cases.values()] == [WORDS]
