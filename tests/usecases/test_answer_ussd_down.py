"""What a dialogue still can do without PostgreSQL."""

from tests.fakes.dialogue import ASHA, World
from tests.usecases.answering import FIRST, PATH, TEXTS, UNAVAILABLE, handset
from ussdapp.core.session import Shown


def test_without_postgresql_the_service_is_not_available_and_no_reference_is_shown(
    world: World,
) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH[:-1])
    world.cases.down = True
    assert phone.keys_in("1") == Shown(UNAVAILABLE, ends=True)
    world.cases.down = False
    assert "4821-3" in phone.sends("*".join(PATH)).text


def test_without_postgresql_a_dial_begins_in_kiswahili(world: World) -> None:
    world.dialogues.languages[ASHA] = "en"
    world.dialogues.down = True
    assert handset(world).dials() == Shown(FIRST, ends=False)


def test_a_dialogue_that_began_without_postgresql_files_once_it_is_back(world: World) -> None:
    world.dialogues.down = True
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH[:-1])
    world.dialogues.down = False
    filed = phone.keys_in(PATH[-1])
    assert filed.ends
    assert phone.sends("*".join(PATH)) == filed
    assert len(world.cases.cases) == 1


def test_without_postgresql_a_dialogue_under_way_still_shows_menus(world: World) -> None:
    phone = handset(world)
    phone.dials()
    world.dialogues.down = world.cases.down = True
    assert phone.keys_in("9", "2", "3").text.startswith("Tuma maoni au malalamiko")
    assert phone.keys_in("00", "8", "2").text.startswith("Welcome")


def test_without_redis_and_postgresql_a_screen_is_shown_all_the_same(world: World) -> None:
    world.dialogues.down = world.cases.down = world.sessions.down = True
    for text in TEXTS:
        assert handset(world).sends(text).text == UNAVAILABLE
