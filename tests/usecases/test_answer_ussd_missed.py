"""What Redis missed or lost: no key is read twice, and no late copy sets a dialogue back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.dialogue import ASHA, NOON, Handset, World, real_menu
from tests.fakes.served_menus import ServedMenus
from ussdapp.core.inbound import Keyed
from ussdapp.core.menu import Menu
from ussdapp.core.session import Shown

WORDS = "Bei ya maji 2*3 na *152*00# Mbezi"
PATH = ("9", "2", "1", "1", "ega", WORDS, "1", "1")
TEXTS = ["", *("*".join(PATH[:count]) for count in range(1, len(PATH) + 1))]


def walked(world: World, count: int, away: range = range(0)) -> tuple[Handset, list[Shown]]:
    """A dialogue of so many keys, Redis away under those of a range."""
    phone = Handset(world.process())
    screens = [phone.dials()]
    for number, key in enumerate(PATH[:count], 1):
        world.sessions.down = number in away
        screens.append(phone.keys_in(key))
    world.sessions.down = False
    return phone, screens


# -- Redis away for some steps


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("begin", range(1, len(PATH)))
def test_redis_away_for_some_steps_the_words_are_filed_as_typed(begin: int, length: int) -> None:
    world, whole = World(), walked(World(), len(PATH))[1]
    screens = walked(world, len(PATH), range(begin, begin + length))[1]
    assert screens == whole
    assert [case.words for case in world.cases.cases.values()] == [WORDS]


def test_another_process_hears_what_redis_missed_once_it_is_back(world: World) -> None:
    missing = world.process()
    asha = Handset(missing)
    asha.dials()
    asha.keys_in(*PATH[:5])
    world.sessions.down = True
    asha.keys_in(WORDS)
    world.sessions.down = False
    # any other dialogue of that process shows it that Redis is there
    Handset(missing, session_id="s2").sends("9")
    elsewhere = replace(asha, answer=world.process())
    assert elsewhere.keys_in("1").text.startswith(f"Thibitisha: Lalamiko kwa EGA\n{WORDS}\n1 Tuma")


def test_what_another_process_kept_meanwhile_stands(world: World) -> None:
    phone = walked(world, 6, range(6, 7))[0]
    elsewhere = replace(phone, answer=world.process())
    further = elsewhere.keys_in("0")
    assert phone.sends("*".join(elsewhere.keys)) == further


def test_a_last_key_that_redis_missed_is_not_lost(world: World) -> None:
    answer = world.process()

    def sends(text: str) -> Shown:
        return answer(Keyed("beem", "s", ASHA, "", text, cumulative=False), NOON)

    for text in ("", "9", "2"):
        shown = sends(text)
    world.sessions.down = True
    assert sends("1").text.startswith("Samahani, huduma haipatikani")
    world.sessions.down = False
    assert shown.text.startswith("e-Mrejesho")
    assert sends("1").text.startswith("Chagua aina")


# -- Redis wiped, and a late copy comes first


@pytest.mark.parametrize("late", range(len(PATH)))
@pytest.mark.parametrize("reached", [4, 6, 7, 8])
def test_a_late_copy_after_a_wipe_does_not_set_the_dialogue_back(late: int, reached: int) -> None:
    if late >= reached:
        pytest.skip("it is no late copy")
    world, whole = World(), walked(World(), len(PATH))[1]
    phone, screens = walked(world, reached)
    world.sessions.wipe()
    assert phone.sends(TEXTS[late]) == whole[late]
    assert world.sessions.records == {}, "a late copy is answered, and kept by nobody"
    screens += [phone.keys_in(key) for key in PATH[reached:]]
    assert screens == whole
    assert len(world.cases.cases) == 1


def test_a_late_copy_beside_a_kept_dialogue_gets_the_screen_it_had(world: World) -> None:
    phone, screens = walked(world, 6)
    assert [phone.sends(text) for text in TEXTS[:7]] == screens
    assert phone.keys_in("1", "1").ends


def test_where_nothing_is_known_the_text_is_walked(world: World) -> None:
    phone, screens = walked(world, 4)
    world.sessions.wipe()
    phone = replace(phone, answer=world.process())
    assert phone.sends(TEXTS[3]) == screens[3]
    assert phone.sends(TEXTS[4]) == screens[4]


def test_a_session_id_used_again_three_minutes_later_begins(world: World) -> None:
    phone = walked(world, 6)[0]
    world.sessions.wipe()
    phone.now = NOON + timedelta(seconds=180)
    phone.dials()
    assert len(world.sessions.records) == 1


# -- a process that knows no institutions


def test_a_directory_that_was_never_loaded_is_not_said_to_be_empty() -> None:
    menu = real_menu()
    none = Menu(
        menu.first, menu.words, menu.screens, {"institutions": ()}, menu.values, menu.budget
    )
    world = World(menus=ServedMenus(none))
    phone = Handset(world.process())
    phone.dials()
    shown = phone.keys_in("9", "2", "1", "1")
    assert shown.ends
    assert shown.text.startswith("Samahani, huduma haipatikani kwa sasa.")
