"""Answering a dialogue: what is filed, followed up and remembered, in the citizen's own words."""

from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.dialogue import ASHA, JUMA, Handset, World, real_menu
from tests.usecases.answering import PATH, UNAVAILABLE, WORDS, Elsewhere, handset
from ussdapp.core.case import Kind, Visibility
from ussdapp.core.menu import Menu
from ussdapp.core.reference import Reference
from ussdapp.core.session import Record, Session, Shown


def test_a_complaint_is_filed_with_a_receipt_and_a_doorbell(world: World) -> None:
    phone = handset(world)
    phone.dials()
    shown = phone.keys_in(*PATH)
    (case,) = world.cases.cases.values()
    assert shown.ends
    assert str(case.reference) in shown.text
    assert (case.kind, case.visibility, case.institution) == (
        Kind.COMPLAINT,
        Visibility.NAMED,
        "ega",
    )
    assert (case.words, case.msisdn, case.language, case.medium) == (WORDS, ASHA, "sw", "ussd")
    assert [told.effect for told in world.cases.told] == [f"{case.effect}:receipt"]
    assert str(case.reference) in world.cases.told[0].text
    assert world.doorbells.rung == ["sandbox"]


def test_an_anonymous_complaint_is_followed_by_no_sms(world: World) -> None:
    phone = handset(world)
    phone.dials()
    shown = phone.keys_in(*PATH[:-2], "3", "1")
    (case,) = world.cases.cases.values()
    assert case.visibility is Visibility.ANONYMOUS
    assert str(case.reference) in shown.text
    assert world.cases.told == []
    assert world.doorbells.rung == []


def test_a_reference_already_taken_is_drawn_again(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    world.numbers = chain([48213000001], [5])
    other = replace(handset(world), session_id="ATUid_2", msisdn=JUMA)
    other.dials()
    assert str(Reference.numbered(5)) in other.keys_in(*PATH).text


def test_when_every_reference_is_taken_none_is_shown(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    world.numbers = iter([48213000001] * 20)
    other = replace(handset(world), session_id="ATUid_2", msisdn=JUMA)
    other.dials()
    assert other.keys_in(*PATH) == Shown(UNAVAILABLE, ends=True)
    assert len(world.cases.cases) == 1


@pytest.mark.parametrize(
    "words", ["Piga *152*00# kesho", "a*1*1*1", "***", "bei*5*2*3", "9*2*1*1*ega*x*1*1"]
)
def test_a_star_that_was_typed_stays_in_the_words(world: World, words: str) -> None:
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    phone.dials()
    phone.keys_in("9", "2", "1", "1", "ega", words, "1", "1")
    assert [case.words for case in world.cases.cases.values()] == [words]


@settings(deadline=None)
@given(st.text(alphabet="*#019abé😀 ", min_size=3, max_size=40), st.sampled_from("123"))
def test_any_words_are_filed_as_typed(words: str, who: str) -> None:
    world = World()
    phone = handset(world)
    phone.dials()
    phone.keys_in("9", "2", "1", "1", "ega", words)
    phone.keys_in(who, "1")
    kept = [case.words for case in world.cases.cases.values()]
    assert kept == ([words.strip()] if len(words.strip()) >= 3 else [])


def test_a_citizen_follows_up_their_own_case_only(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    (case,) = world.cases.cases.values()
    shown = {}
    for msisdn in (ASHA, JUMA):
        asking = replace(handset(world), msisdn=msisdn, session_id="ATUid_3")
        asking.dials()
        shown[msisdn] = asking.keys_in("9", "2", "2", str(case.reference))
    stranger = replace(handset(world), msisdn=JUMA, session_id="ATUid_4")
    stranger.dials()
    stranger.keys_in("2")  # not where the last dialogue was left
    assert "Hali: Umepokelewa" in shown[ASHA].text
    assert shown[JUMA] == stranger.keys_in("9", "2", "2", "000000000000")


def test_a_chosen_language_is_remembered_and_spoken_next_time(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in("8", "2")
    assert world.dialogues.languages == {ASHA: "en"}
    next_time = replace(handset(world), session_id="ATUid_2")
    assert next_time.dials().text.startswith("Welcome to Government services")


def test_a_late_repeat_of_an_old_choice_of_language_is_not_remembered(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in("8", "2", "8", "1")
    phone.sends("8*2")
    assert world.dialogues.languages == {ASHA: "sw"}


def test_a_dialogue_stays_on_the_menu_it_began_with(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in("9", "2", "1", "1")
    world.menus.serve(without_institutions(real_menu()))
    assert phone.keys_in("ega").text.startswith("Andika maelezo yako kwa EGA.")


def test_a_dialogue_whose_menu_is_forgotten_confirms_anew(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH[:-1])
    (key,) = world.sessions.records
    world.sessions.records[key] = replace(world.sessions.records[key], version="forgotten")
    assert phone.keys_in("1").text.startswith("Thibitisha: Lalamiko kwa EGA")
    assert world.cases.filings == 0
    assert phone.keys_in("1").ends
    assert len(world.cases.cases) == 1


def without_institutions(menu: Menu) -> Menu:
    fewer = {"institutions": menu.lists["institutions"][-1:]}
    return Menu(menu.first, menu.words, menu.screens, fewer, menu.values, menu.budget)


def test_neither_record_nor_session_prints_a_word_of_a_citizen() -> None:
    assert WORDS not in repr(Record("1", "sw", PATH))
    assert WORDS not in repr(Session("a", "sw", {"maelezo": WORDS}))
