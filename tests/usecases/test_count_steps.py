"""How dialogues went is counted as they go: what is told of a screen, and in how many trips."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from redis import Redis

from tests.fakes.dialogue import ASHA, NOON, Handset
from tests.fakes.steps import CountedWorld, FakeSteps
from ussdapp.core.funnel import OFFER, Drain, Step
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown
from ussdapp.ports import Unavailable
from ussdapp.stores.funnel import RedisCounts
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions
from ussdapp.usecases.count_steps import EVERY, CountSteps

SEAL = Seal(b"s" * 32, b"i" * 32)
PATH = ("9", "2", "1", "1", "ega", "Maji hayatoki Mbezi", "1", "1")


@dataclass
class Elsewhere:
    """Every callback goes to one of two processes in turn."""

    world: CountedWorld
    asked: int = 0

    def __post_init__(self) -> None:
        self.processes = [self.world.process(), self.world.process()]

    def __call__(self, keyed: Keyed, now: object) -> Shown:
        self.asked += 1
        return self.processes[self.asked % 2](keyed, NOON)


def counted(world: CountedWorld) -> list[Step]:
    steps: list[Step] = world.sessions.counted
    return steps


def told(world: CountedWorld, screen: str) -> Counter[str]:
    """What was counted of one screen."""
    told: Counter[str] = Counter()
    for step in counted(world):
        if step.shown.screen == screen:
            told["entries"] += not step.stays
            told["ended"] += step.ends
        if step.left is not None and step.left.screen == screen:
            told["exits"] += not step.stays
            told["wrong"] += step.stays and step.wrong
    return +told


def test_each_screen_on_the_way_is_entered_and_left_once(world: CountedWorld) -> None:
    phone = Handset(world.process())
    phone.dials()
    assert phone.keys_in(*PATH).ends
    screens = [step.shown.screen for step in counted(world)]
    assert len(set(screens)) == len(screens) == 1 + len(PATH)
    for screen in screens[:-1]:
        assert told(world, screen) == {"entries": 1, "exits": 1}
    assert told(world, screens[-1]) == {"entries": 1, "ended": 1}


def test_a_callback_that_comes_four_times_counts_once(world: CountedWorld) -> None:
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    texts = ["", *("*".join(PATH[:count]) for count in range(1, len(PATH) + 1))]
    for text in texts:
        for _ in range(4):
            phone.sends(text)
    assert len(counted(world)) == len(texts)


def test_wrong_keys_are_counted_where_they_were_keyed_and_so_is_the_way_out(
    world: CountedWorld,
) -> None:
    phone = Handset(world.process())
    phone.dials()
    phone.keys_in("9")
    screen = counted(world)[-1].shown.screen
    assert phone.keys_in("77", "78", "79").ends
    assert told(world, screen) == {"entries": 1, "wrong": 3, "ended": 1}


def test_the_next_page_is_the_same_screen(world: CountedWorld) -> None:
    phone = Handset(world.process())
    phone.dials()
    phone.keys_in(*PATH[:4])
    screen = counted(world)[-1].shown.screen
    phone.keys_in("99", "0", "ega")
    assert told(world, screen) == {"entries": 1, "exits": 1}


def test_a_screen_is_left_in_the_language_it_was_entered_in(world: CountedWorld) -> None:
    phone = Handset(world.process())
    phone.dials()
    phone.keys_in("8", "2")
    step = counted(world)[-1]
    assert step.left is not None
    assert (step.left.language, step.shown.language) == ("sw", "en")


def test_an_offer_to_go_on_is_entered_mistaken_and_left(world: CountedWorld) -> None:
    Handset(world.process()).dials()
    first = Handset(world.process())
    first.keys_in(*PATH[:3])
    again = Handset(world.process(), session_id="ATUid_2")
    assert again.dials().text.startswith("Endelea ulipoishia?")
    again.keys_in("7", "1")
    assert told(world, OFFER) == {"entries": 1, "wrong": 1, "exits": 1}


def test_a_dialogue_counts_on_the_day_it_began(world: CountedWorld) -> None:
    phone = Handset(world.process(), now=NOON.replace(hour=20, minute=59))
    phone.dials()
    phone.now += timedelta(minutes=2)
    phone.keys_in("9")
    assert [step.day for step in counted(world)] == ["20261122", "20261122"]


def test_a_deep_dial_counts_the_screen_it_shows_and_none_on_the_way(world: CountedWorld) -> None:
    Handset(world.process()).sends("9*2")
    (step,) = counted(world)
    assert step.left is None


def test_a_single_key_dialogue_is_counted_as_well(world: CountedWorld) -> None:
    answer = world.process()
    for text in ("", "9", "2"):
        answer(Keyed("beem", "s", ASHA, "*152*00#", text, cumulative=False), NOON)
    assert [step.shown.channel for step in counted(world)] == ["beem"] * 3


def test_nothing_of_a_citizen_is_counted(world: CountedWorld) -> None:
    phone = Handset(world.process())
    phone.dials()
    phone.keys_in(*PATH)
    for word in ("Mbezi", ASHA.digits, "ATUid"):
        assert word not in repr(counted(world))


def test_a_kiswahili_dialogue_takes_one_trip_a_step_in_whatever_process(
    world: CountedWorld,
) -> None:
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    phone.dials()
    phone.keys_in(*PATH[:-1])
    assert world.sessions.trips == len(PATH)


def test_an_english_dialogue_takes_one_more_trip_in_a_second_process(world: CountedWorld) -> None:
    world.dialogues.languages[ASHA] = "en"
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    phone.dials()
    world.sessions.trips = 0
    assert phone.keys_in(*PATH[:-1]).text.startswith("Confirm")
    assert world.sessions.trips == len(PATH[:-1]) + 1


def test_a_guess_without_a_hint_does_not_hide_an_offer_that_redis_lost(
    world: CountedWorld,
) -> None:
    first = Handset(world.process())
    first.dials()
    first.keys_in(*PATH[:4])
    again = Handset(world.process(), session_id="ATUid_2")
    again.dials()
    world.sessions.wipe()
    elsewhere = Handset(world.process(), session_id="ATUid_2")
    assert elsewhere.keys_in("1").text.startswith("Samahani, tuanze upya.")


def test_on_redis_a_dialogue_in_two_processes_is_counted_screen_by_screen(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    phone = Handset(Elsewhere(CountedWorld(sessions=RedisSessions(client, SEAL))))  # type: ignore[arg-type]
    phone.dials()
    assert phone.keys_in(*PATH).ends
    phone.sends("*".join(PATH))
    (drain,) = RedisCounts(client).drain(NOON)
    assert len(drain.facts) == 1 + len(PATH)
    assert {(fact.entries, fact.exits + fact.ended, fact.dropped) for fact in drain.facts} == {
        (1, 1, 0)
    }
    assert sum(sum(fact.buckets) for fact in drain.facts) == len(PATH)


@pytest.fixture
def world() -> CountedWorld:
    return CountedWorld(sessions=FakeSteps())


# -- drained


@dataclass
class Kept:
    """Keeps Counts and Facts both."""

    drains: list[Drain] = field(default_factory=list)
    added: list[Drain] = field(default_factory=list)
    down: bool = False

    def drain(self, now: object) -> Iterator[Drain]:
        yield from tuple(self.drains)

    def forget(self, drain: Drain) -> None:
        self.drains.remove(drain)

    def add(self, drain: Drain, at: object) -> bool:
        if self.down:
            raise Unavailable("facts")
        fresh = drain not in self.added
        self.added += [drain] if fresh else []
        return fresh


def drained(name: str) -> Drain:
    return Drain(name, NOON.date(), ())


def test_counts_are_kept_once_a_minute_and_then_forgotten() -> None:
    kept = Kept([drained("a")])
    count_steps = CountSteps(kept, kept)
    assert count_steps(NOON) == 1
    kept.drains.append(drained("b"))
    assert count_steps(NOON + EVERY / 2) == 0
    assert count_steps(NOON + EVERY) == 1
    assert (kept.added, kept.drains) == ([drained("a"), drained("b")], [])


def test_what_cannot_be_kept_is_not_forgotten() -> None:
    kept = Kept([drained("a")], down=True)
    with pytest.raises(Unavailable):
        CountSteps(kept, kept)(NOON)
    assert kept.drains == [drained("a")]


def test_what_was_kept_before_a_crash_is_only_forgotten() -> None:
    kept = Kept([drained("a")], [drained("a")])
    assert CountSteps(kept, kept)(NOON) == 0
    assert kept.drains == []
