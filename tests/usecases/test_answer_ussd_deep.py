"""Deep dials, impossible paths and hostile input file nothing by themselves."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.dialogue import JUMA, World
from tests.usecases.answering import PATH, UNAVAILABLE, handset, parallel
from ussdapp.core import gsm7
from ussdapp.core.session import Shown


@pytest.mark.parametrize("begun", [False, True], ids=["first callback", "after the first screen"])
def test_a_deep_dial_past_the_confirmation_files_nothing_until_it_is_confirmed(
    world: World, begun: bool
) -> None:
    phone = handset(world)
    if begun:
        phone.dials()
    deep = phone.sends("*".join(PATH))
    assert deep.text.startswith("Thibitisha: Lalamiko kwa EGA")
    assert phone.sends("*".join(PATH)) == deep
    assert world.cases.filings == 0
    assert phone.sends("*".join((*PATH, "1"))).ends
    assert len(world.cases.cases) == 1


def test_a_deep_dial_by_four_threads_files_nothing(world: World) -> None:
    (shown,) = parallel(world.process(), ["*".join(PATH)], "ATUid_1")
    assert len(set(shown)) == 1
    assert world.cases.filings == 0


def test_a_deep_dial_with_redis_down_files_nothing(world: World) -> None:
    world.sessions.down = True
    assert handset(world).sends("*".join(PATH)) == Shown(UNAVAILABLE, ends=True)
    assert world.cases.filings == 0


def test_a_deep_dial_to_a_menu_shows_it(world: World) -> None:
    deep = handset(world).sends("9*2")
    phone = replace(handset(world), session_id="ATUid_2", msisdn=JUMA)
    phone.dials()
    assert deep == phone.keys_in("9", "2")


def test_a_text_that_does_not_go_on_from_what_is_kept_shows_the_kept_screen(world: World) -> None:
    phone = handset(world)
    phone.dials()
    kept = phone.keys_in("9", "2", "1")
    assert phone.sends("8*2*9") == kept
    assert phone.sends("9*2*1*0") != kept


def test_keys_after_the_end_change_nothing(world: World) -> None:
    phone = handset(world)
    phone.dials()
    end = phone.keys_in(*PATH)
    assert phone.keys_in("1") == end
    assert phone.keys_in("00", "9") == end
    assert len(world.cases.cases) == 1


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=8), st.booleans())
def test_any_text_gets_a_screen_of_gsm7_within_the_budget(pieces: list[str], dials: bool) -> None:
    phone = handset(World())
    if dials:
        phone.dials()
    for count in range(len(pieces) + 1):
        shown = phone.sends("*".join((*PATH[: count * 2], *pieces[:count])))
        width = gsm7.septets(shown.text)
        assert width is not None
        assert 0 < width <= 160


def test_more_than_one_dialogue_may_key_ends_it_politely(world: World) -> None:
    phone = handset(world)
    phone.dials()
    shown = phone.sends("9*" * 5000)
    assert shown.ends
    assert shown.text.startswith("Samahani, ulichoandika ni kirefu mno.")


def test_a_path_of_endless_lookups_ends_politely(world: World) -> None:
    phone = handset(world)
    phone.dials()
    world.sessions.wipe()
    assert phone.sends("9*2*2" + "*482130000015" * 20).ends
