"""A callback again, late, or four times at once: one effect and identical bytes."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.dialogue import ASHA, JUMA, NOON, World
from tests.usecases.answering import PATH, TEXTS, WORDS, Elsewhere, handset, parallel, real_sessions
from ussdapp.core.inbound import Keyed


def test_every_callback_repeated_gets_the_same_bytes_and_one_effect(world: World) -> None:
    phone = handset(world)
    texts = ["", *("*".join(PATH[:count]) for count in range(1, len(PATH) + 1))]
    first = [phone.sends(text) for text in texts for _ in range(2)]
    assert first[0::2] == first[1::2]
    assert [phone.sends(text) for text in texts] == first[0::2]
    assert len(world.cases.cases) == 1


def test_late_callbacks_write_nothing(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    kept = dict(world.sessions.records)
    for count in range(len(PATH)):
        phone.sends("*".join(PATH[:count]))
    assert world.sessions.records == kept


@pytest.mark.parametrize("processes", ["one", "several"])
def test_four_threads_with_the_same_callbacks_have_one_effect(world: World, processes: str) -> None:
    answer = world.process() if processes == "one" else Elsewhere(world)
    for shown in parallel(answer, TEXTS, "ATUid_1"):
        assert len(set(shown)) == 1
    assert len(world.cases.cases) == 1
    assert len(world.cases.told) == 1


@pytest.mark.parametrize(
    "other",
    [
        Keyed("at", "ATUid_1", JUMA, "*152*00#", ""),
        Keyed("beem", "ATUid_1", ASHA, "*152*00#", ""),
    ],
    ids=["another MSISDN", "another channel"],
)
def test_the_same_session_id_from_elsewhere_is_another_dialogue(world: World, other: Keyed) -> None:
    answer = world.process()
    asha = Keyed("at", "ATUid_1", ASHA, "*152*00#", "")
    for text in ("", *TEXTS[1:-2]):
        answer(replace(asha, text=text), NOON)
    assert answer(replace(other, text="9"), NOON).text.startswith("Huduma zaidi")
    assert len(world.sessions.records) == 2


def test_one_session_id_used_for_two_complaints_files_both(world: World) -> None:
    first, second = handset(world), handset(world)
    first.dials()
    reference = first.keys_in(*PATH)
    world.sessions.wipe()
    other = tuple("Maji hayatoki tangu jana" if key == WORDS else key for key in PATH)
    second.dials()
    filed = second.keys_in(*other)
    assert filed != reference
    assert second.sends("*".join(other)) == filed
    assert [case.words for case in world.cases.cases.values()] == [
        WORDS,
        "Maji hayatoki tangu jana",
    ]


@pytest.fixture
def real_world(redis_url: str) -> World:
    return World(sessions=real_sessions(redis_url))  # type: ignore[arg-type]


@pytest.mark.parametrize("processes", ["one", "several"])
def test_on_redis_four_threads_have_one_effect(real_world: World, processes: str) -> None:
    answer = real_world.process() if processes == "one" else Elsewhere(real_world)
    for shown in parallel(answer, TEXTS, secrets.token_hex(8)):
        assert len(set(shown)) == 1
    assert len(real_world.cases.cases) == 1
    assert len(real_world.cases.told) == 1


def test_a_replay_ten_minutes_later_is_answered_as_before(world: World) -> None:
    phone = handset(world)
    phone.dials()
    filed = phone.keys_in(*PATH)
    world.sessions.wipe()
    phone.now = NOON + timedelta(minutes=30)
    assert phone.sends("*".join(PATH)) == filed
