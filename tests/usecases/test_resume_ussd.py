"""A dropped dialogue is offered again, goes on where it was, and doubles nothing."""

from dataclasses import replace

import pytest

from tests.fakes.dialogue import ASHA, JUMA, NOON, Handset, World
from tests.fakes.every_kind import Institution, every_kind
from tests.fakes.served_menus import ServedMenus
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown

WORDS = "Maji hayatoki Mbezi tangu Jumatatu"
TO_CONFIRM = ("9", "2", "1", "1", "ega", WORDS, "1")
OFFER = "Endelea ulipoishia?\n1 Ndiyo\n2 Anza upya"


def phone(world: World, session_id: str, channel: str = "at") -> Handset:
    return Handset(world.process(), session_id=session_id, channel=channel)


def dropped(world: World, *keys: str) -> Shown:
    """A dialogue that drops after those keys; its last screen."""
    first = phone(world, "ATUid_1")
    first.dials()
    return first.keys_in(*keys)


def test_a_redial_is_offered_to_go_on_and_goes_on(world: World) -> None:
    left = dropped(world, *TO_CONFIRM)
    again = phone(world, "ATUid_2")
    assert again.dials() == Shown(OFFER, ends=False)
    assert again.keys_in("1") == left
    assert again.keys_in("1").ends
    assert [case.words for case in world.cases.cases.values()] == [WORDS]


def test_another_channel_offers_it_as_well(world: World) -> None:
    left = dropped(world, *TO_CONFIRM)
    again = phone(world, "b1", channel="beem")
    assert again.dials().text == OFFER
    assert again.keys_in("1") == left


def test_a_channel_that_sends_the_last_key_offers_it_as_well(world: World) -> None:
    left = dropped(world, *TO_CONFIRM)
    answer = world.process()
    shown = [
        answer(Keyed("smpp", "7", ASHA, "*152*00#", key, cumulative=False), NOON)
        for key in ("", "5", "1", "1")
    ]
    assert shown[0].text == OFFER
    assert shown[1].text == f"Chaguo si sahihi.\n{OFFER}"
    assert shown[2] == left
    assert shown[3].ends
    assert len(world.cases.cases) == 1


def test_starting_anew_forgets_what_was_left(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    again = phone(world, "ATUid_2")
    again.dials()
    assert again.keys_in("2").text.startswith("Karibu huduma za Serikali")
    assert again.keys_in("9", "2").text.startswith("e-Mrejesho")
    third = phone(world, "ATUid_3")
    third.dials()
    assert third.keys_in("1").text.startswith("e-Mrejesho")


def test_every_key_of_a_resumed_dialogue_repeated_is_answered_alike(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    again = phone(world, "ATUid_2")
    texts = ["", "1", "1*0", "1*0*1", "1*0*1*1"]
    first = [again.sends(text) for text in texts for _ in range(2)]
    assert first[0::2] == first[1::2]
    assert [again.sends(text) for text in texts] == first[0::2]
    assert len(world.cases.cases) == 1


def test_an_effect_had_before_the_drop_is_not_had_again(world: World) -> None:
    # the process dies between the filing and the exchange: the draft still shows the summary
    left = dropped(world, *TO_CONFIRM)
    drafts, kept = dict(world.sessions.drafts), dict(world.sessions.records)
    first = Handset(world.process(), keys=TO_CONFIRM)
    filed = first.keys_in("1")
    world.sessions.drafts, world.sessions.records = drafts, kept
    again = phone(world, "ATUid_2")
    again.dials()
    assert again.keys_in("1") == left
    assert again.keys_in("1") == filed
    assert len(world.cases.cases) == 1
    assert len(world.cases.told) == 1


def test_a_dialogue_that_ended_is_not_offered(world: World) -> None:
    dropped(world, *TO_CONFIRM, "1")
    assert phone(world, "ATUid_2").dials().text.startswith("Karibu")


@pytest.mark.parametrize(
    "keys",
    [(), ("9", "2", "00"), (*TO_CONFIRM[:-1], "3"), (*TO_CONFIRM[:-1], "3", "00", "9", "2")],
    ids=["only dialled", "gone home", "anonymous", "anonymous and gone on"],
)
def test_what_is_at_home_or_anonymous_is_not_offered(world: World, keys: tuple[str, ...]) -> None:
    if keys:
        dropped(world, *keys)
    else:
        phone(world, "ATUid_1").dials()
    assert phone(world, "ATUid_2").dials().text.startswith("Karibu")
    assert world.sessions.drafts == {}


def test_another_citizen_is_offered_nothing(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    assert replace(phone(world, "ATUid_2"), msisdn=JUMA).dials().text.startswith("Karibu")


def test_a_deep_dial_is_not_stopped_by_an_offer(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    assert phone(world, "ATUid_2").sends("9*2").text.startswith("e-Mrejesho")


def test_three_answers_that_are_none_begin_anew(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    again = phone(world, "ATUid_2")
    again.dials()
    assert again.keys_in("5", "6").text == f"Chaguo si sahihi.\n{OFFER}"
    assert again.keys_in("7").text.startswith("Karibu")
    assert again.keys_in("9").text.startswith("Huduma zaidi")


def test_a_dialogue_is_resumed_in_the_language_it_had(world: World) -> None:
    dropped(world, "8", "2", "9", "2")
    again = phone(world, "ATUid_2")
    assert again.dials().text.startswith("Go on where you left off?")
    assert again.keys_in("1").text.startswith("e-Mrejesho: speak")


def test_a_dialogue_is_resumed_more_than_once(world: World) -> None:
    dropped(world, *TO_CONFIRM[:5])
    second = phone(world, "ATUid_2")
    second.dials()
    second.keys_in("1", WORDS, "1")
    third = phone(world, "ATUid_3")
    third.dials()
    assert third.keys_in("1").text.startswith("Thibitisha")
    assert third.keys_in("1").ends
    assert [case.words for case in world.cases.cases.values()] == [WORDS]


def test_what_was_left_on_a_forgotten_menu_is_not_offered(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    draft = world.sessions.drafts[ASHA]
    world.sessions.drafts[ASHA] = replace(draft, version="forgotten")
    again = phone(world, "ATUid_2")
    assert again.dials().text.startswith("Karibu")
    assert again.keys_in("9").text.startswith("Huduma zaidi")


def test_redis_wiped_under_a_resumed_dialogue_it_begins_anew_and_says_so(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    again = phone(world, "ATUid_2")
    again.dials()
    again.keys_in("1")
    world.sessions.wipe()
    elsewhere = replace(again, answer=world.process(), keys=("1",))
    lost = elsewhere.keys_in("1")
    assert lost.text.startswith("Samahani, tuanze upya.\nKaribu")
    assert elsewhere.sends("1*1") == lost
    assert elsewhere.keys_in("9").text.startswith("Huduma zaidi")
    assert world.cases.filings == 0


def test_when_an_offer_cannot_be_recorded_none_is_made(world: World) -> None:
    dropped(world, *TO_CONFIRM)
    world.offers.down = True
    assert phone(world, "ATUid_2").dials().text.startswith("Karibu")


def test_a_plain_step_still_takes_one_round_trip_and_so_does_a_dial(world: World) -> None:
    first = phone(world, "ATUid_1")
    world.sessions.trips = 0
    first.dials()
    assert world.sessions.trips == 1
    first.keys_in(*TO_CONFIRM)
    assert world.sessions.trips == 1 + len(TO_CONFIRM)
    again = phone(world, "ATUid_2")
    again.dials()
    again.keys_in("2")
    world.sessions.trips = 0
    again.keys_in("9", "2", "1")
    assert world.sessions.trips == 3


def test_on_an_application_s_screen_what_was_before_it_is_offered() -> None:
    institution = Institution()
    world = World(menus=ServedMenus(every_kind()), offices=institution)
    first = phone(world, "ATUid_1")
    first.dials()
    before = first.keys_in("1")
    first.keys_in("4", "1")
    again = phone(world, "ATUid_2")
    assert again.dials().text == OFFER
    assert again.keys_in("1") == before
    assert institution.keyed == [None, "1"]
