"""Every kind of screen, walked key by key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.every_kind import LONG, every_kind
from tests.fakes.examples import examples
from ussdapp.core import gsm7
from ussdapp.core.asks import AGAIN, BACK, ENDS, SHOWS
from ussdapp.core.dialogue import begin, resume, step
from ussdapp.core.layout import units
from ussdapp.core.page import render
from ussdapp.core.replay import replay
from ussdapp.core.screen_text import cleaned
from ussdapp.core.screens import End, External, Input, Text
from ussdapp.core.session import MOST_WRONG, Found, Record, Turn

MENU = every_kind()
TODAY = "20261122"
DIGITS = [str(number) for number in range(13)] + ["00", "99", "99", "99", "994550451254"]
TYPED = ["ilala", "AB12", "19900107-11101-00001-21", "25121990", "Umoja wa wavuvi", "{chama}"]
KEYS = st.lists(
    st.one_of(st.sampled_from(DIGITS), st.sampled_from(TYPED), st.text(max_size=40)), max_size=30
)


def found_for(turn: Turn, count: int) -> Found:
    """What an ask comes back with, another each time."""
    assert turn.ask is not None
    match turn.ask.name:
        case "office.look_up":
            outcome = ["found", "missing", "late", "unavailable"][count % 4]
            values = {"deni": "TZS 1 ✓" * (count % 9), "jina": "Ng'ombe"}
            return Found(outcome, values if outcome == "found" else {})
        case "office.hand_in":
            return Found(["taken", "refused", AGAIN][count % 3], {"jibu": LONG[: count * 7]})
        case _:
            outcome = [SHOWS, SHOWS, BACK, ENDS, "late"][count % 5]
            said = {"text": LONG[: 40 + count * 31], "options": "1 Moja\n2 Mbili"}
            return Found(outcome, said if outcome in (SHOWS, ENDS) else {"kata": "Mbezi"})


def settled(turn: Turn, found: list[Found]) -> Turn:
    while turn.ask is not None:
        found.append(found_for(turn, len(found)))
        turn = resume(MENU, turn.session, found[-1])
    return turn


def walked(*keys: str, language: str = "sw") -> Turn:
    turn = begin(MENU, language, TODAY)
    for key in keys:
        turn = settled(step(MENU, turn.session, key), [])
    return turn


@settings(deadline=None, max_examples=examples(200))
@given(KEYS, st.sampled_from(["sw", "en"]))
def test_whatever_is_keyed_every_screen_fits(keys: list[str], language: str) -> None:
    turn, found = begin(MENU, language, TODAY), list[Found]()
    for key in keys:
        turn = settled(step(MENU, turn.session, cleaned(key)), found)
        septets = gsm7.septets(turn.text)
        told = isinstance(MENU.screens[turn.session.screen], External | End | Text)
        assert turn.text
        assert (septets is not None and septets <= 160) or (told and units(turn.text) <= 70)


@settings(deadline=None, max_examples=examples(200))
@given(KEYS)
def test_a_record_replayed_shows_every_screen_again(keys: list[str]) -> None:
    turn, found, typed = begin(MENU, "sw", TODAY), list[Found](), list[str]()
    for key in map(cleaned, keys):
        turn = settled(step(MENU, turn.session, key), found)
        typed.append(key)
        record = Record(MENU.version, "sw", tuple(typed), tuple(found), TODAY)
        assert replay(MENU, record) == turn
        halfway = len(typed) // 2
        resumed = Record(
            MENU.version, "sw", tuple(typed[halfway:]), tuple(found), TODAY, tuple(typed[:halfway])
        )
        assert replay(MENU, resumed) == turn


@settings(deadline=None, max_examples=examples(200))
@given(KEYS, KEYS)
def test_back_after_any_key_returns_to_the_screen_it_left(keys: list[str], more: list[str]) -> None:
    turn, found = begin(MENU, "sw", TODAY), list[Found]()
    for key in (*keys, *more):
        left = turn
        gone = step(MENU, left.session, key)
        turn = settled(gone, found)
        moved_on = len(gone.session.trail) == len(left.session.trail) + 1
        if moved_on and gone.ask is None and not gone.ends:
            back = step(MENU, gone.session, "0")
            if isinstance(MENU.screens[gone.session.screen], End) and not gone.session.page:
                continue  # what ends on its next page is not left backwards
            assert back.session.place == left.session.place
            assert back.text == render(MENU, left.session)


# -- paging


@pytest.mark.parametrize("language", ["sw", "en"])
def test_the_pages_of_a_long_text_joined_are_the_text(language: str) -> None:
    turn, pieces = walked("1", "3", language=language), []
    while "99 " in turn.text:
        pieces.append(turn.text.split("\n99 ")[0])
        turn = step(MENU, turn.session, "99")
    pieces.append(turn.text.split("\n1 ")[0])
    screen = MENU.screens["demo.kila.masharti"]
    assert isinstance(screen, Text)
    assert " ".join(pieces) == screen.says[language]


def test_a_text_goes_on_from_its_last_page_alone() -> None:
    first = walked("1", "3")
    assert step(MENU, first.session, "1").text.startswith("Chaguo si sahihi.")
    assert walked("1", "3", "99", "99", "1").text == "Asante kwa kusoma masharti."


def test_back_goes_to_the_page_before_first_and_home_from_any() -> None:
    assert walked("1", "3", "99", "99", "0") == walked("1", "3", "99")
    assert walked("1", "3", "99", "0", "0").text == walked("1").text
    assert walked("1", "3", "99", "00").text == walked().text


def test_an_option_is_taken_on_every_page_of_its_choice() -> None:
    assert walked("1", "12").text == walked("1", "99", "99", "12").text


def test_a_page_that_is_not_there_is_a_wrong_key() -> None:
    assert walked("1", "99", "99", "99").text.startswith("Chaguo si sahihi.")


def test_a_long_answer_is_paged_before_it_ends() -> None:
    turn = walked("1", "2", "maji", "ilala", "Umoja", "1")
    assert turn.ends  # the first find is short
    session = step(MENU, walked("1", "2", "maji", "ilala", "Umoja").session, "1").session
    long = resume(MENU, session, Found("taken", {"jibu": LONG.strip()}))
    assert not long.ends
    assert long.text.endswith("\n99 Zaidi")
    pieces = []
    while not long.ends:
        pieces.append(long.text.split("\n99 ")[0])
        long = step(MENU, long.session, "99")
    assert " ".join((*pieces, long.text)) == f"Imepokelewa. {LONG.strip()}"
    assert step(MENU, long.session, "0") == long


# -- lists


def test_a_list_is_filtered_by_what_was_chosen_before() -> None:
    assert walked("1", "2", "1").text.split("\n")[1:3] == ["1 Ilala", "2 Temeke"]
    assert walked("1", "2", "ardhi").text.split("\n")[1] == "1 Mbeya Mjini"


def test_an_item_of_another_filter_is_not_taken() -> None:
    assert "wilaya" not in walked("1", "2", "ardhi", "ilala").session.answers
    assert walked("1", "2", "ardhi", "ila").text.startswith("Haijapatikana.")


def test_an_item_is_shown_by_its_name_once_chosen() -> None:
    assert walked("1", "2", "ardhi", "mji").text.split("\n")[1] == "1 Mbeya Mjini"
    assert walked("1", "2", "ardhi", "1").text.startswith("Jina la chama, Mbeya Mjini:")


# -- inputs


@pytest.mark.parametrize(
    ("path", "typed", "shown"),
    [
        (("1", "5"), "19900107-11101-00001-21", "NIDA 1990****-*****-*****-21"),
        (("1", "6"), "20 500", "TZS 20,500"),
        (("1", "7"), "25.12.1990", "Tarehe 25/12/1990"),
        (("1", "8"), "2421 1234 567", "Mita 24211234567"),
        (("1", "9"), "j45500178012", "Akaunti J45500178012"),
        (("1", "10"), "123456789018", "Kumbukumbu 1234-5678-9018"),
    ],
    ids=["nida", "amount", "date", "meter", "account", "reference"],
)
def test_a_named_kind_is_shown_in_its_own_way(
    path: tuple[str, ...], typed: str, shown: str
) -> None:
    assert walked(*path, typed).text == shown


def test_a_wrong_value_is_told_with_an_example() -> None:
    assert walked("1", "1", "123").text.startswith("Ni tarakimu 12, mfano 994550451254:")
    assert walked("1", "7", "25122090").text.startswith("Siku, mwezi na mwaka, mfano 25121990:")


def test_more_is_a_value_where_something_is_typed() -> None:
    assert walked("1", "6", "99").text == "TZS 99"


# -- confirm


def test_a_summary_shows_answers_as_they_were_chosen() -> None:
    text = walked("1", "2", "maji", "ilala", "Umoja wa wavuvi").text
    assert text == "Sajili Umoja wa wavuvi, Ilala (Maji)\n1 Tuma\n2 Ghairi\n0 Rudi  00 Mwanzo"


def test_a_cancelled_summary_goes_where_its_author_says() -> None:
    assert walked("1", "2", "maji", "ilala", "Umoja", "2").session.screen == "demo.kila.mwanzo"


def test_past_an_effect_nothing_leads_back() -> None:
    session = step(MENU, walked("1", "2", "maji", "ilala", "Umoja").session, "1").session
    done = resume(MENU, session, Found("unavailable", {}))
    assert done.session.trail == ()
    assert step(MENU, done.session, "0").session.screen == MENU.first


# -- the way out


def test_three_wrong_keys_in_a_row_end_politely() -> None:
    turn = walked("1", "1", "x", "y", "z")
    assert turn.ends
    assert turn.text == "Basi. Tuma MSAADA kwenda 15200."
    assert step(MENU, turn.session, "994550451254") == turn
    assert MOST_WRONG == 3


def test_a_right_key_between_wrong_ones_begins_the_count_again() -> None:
    assert not walked("x", "y", "1", "x", "y", "99", "x", "y").ends


@given(st.lists(st.sampled_from(["x", "994"]), max_size=2))
def test_the_way_out_comes_after_the_third_and_not_before(wrong: list[str]) -> None:
    assert not walked("1", "1", *wrong).ends


# -- applications


def spoken(text: str = "Habari", options: str = "1 Moja", outcome: str = SHOWS) -> Turn:
    asked = step(MENU, walked("1").session, "4")
    assert asked.ask is not None
    assert asked.ask.keyed is None
    return resume(MENU, asked.session, Found(outcome, {"text": text, "options": options}))


def test_an_application_is_shown_with_its_options_and_the_way_home() -> None:
    assert spoken().text == "Habari\n1 Moja\n00 Mwanzo"


def test_every_key_goes_to_the_application() -> None:
    for key in ("1", "0", "99", "maji", "*", "55"):
        asked = step(MENU, spoken().session, key)
        assert asked.ask is not None
        assert asked.ask.keyed == key


def test_home_is_the_gateway_s_unless_the_application_offers_it() -> None:
    assert step(MENU, spoken().session, "00").session.screen == MENU.first
    offered = spoken(options="1 Moja\n00 Yangu")
    assert "00 Mwanzo" not in offered.text
    asked = step(MENU, offered.session, "00")
    assert asked.ask is not None
    assert asked.ask.keyed == "00"


def test_what_an_application_says_is_paged() -> None:
    turn, pieces = spoken(LONG.strip(), "1 Moja"), []
    while "\n99 " in turn.text:
        pieces.append(turn.text.split("\n99 ")[0])
        turn = step(MENU, turn.session, "99")
    assert " ".join((*pieces, turn.text.split("\n1 ")[0])) == LONG.strip()
    assert step(MENU, turn.session, "0").text.startswith(pieces[-1])


def test_an_application_that_ends_ends_the_dialogue_on_its_last_page() -> None:
    assert spoken("Kwaheri.", "", ENDS).ends
    long = spoken(LONG.strip(), "", ENDS)
    assert not long.ends
    while not long.ends:
        long = step(MENU, long.session, "99")
    assert step(MENU, long.session, "1") == long


def test_an_application_hands_back_what_later_screens_show() -> None:
    session = step(MENU, spoken().session, "9").session
    turn = resume(MENU, session, Found(BACK, {"kata": "Mbezi"}))
    assert turn.text.startswith("Kata yako: Mbezi")
    assert step(MENU, turn.session, "0").session.screen == "demo.kila.mwanzo"


def test_what_no_gsm_handset_shows_is_shown_in_ucs2() -> None:
    turn = spoken("Habari 😀 yako", "1 Sawa ✓")
    assert turn.text == "Habari 😀 yako\n1 Sawa ✓\n00 Mwanzo"
    assert units(spoken("Habari 😀 " * 30).text) <= 70


def test_options_too_wide_for_a_page_are_read_all_the_same() -> None:
    long = "Chaguo " * 30
    turn, read = spoken("Habari", f"1 {long}\n2 Mbili"), ""
    while "\n99 " in turn.text:
        read += turn.text.split("\n99 ")[0] + " "
        turn = step(MENU, turn.session, "99")
    read += turn.text.split("\n0 ")[0]
    assert read.split() == f"Habari 1 {long} 2 Mbili".split()
    asked = step(MENU, turn.session, "2")
    assert asked.ask is not None
    assert asked.ask.keyed == "2"


def test_inputs_are_single_pages() -> None:
    for name, screen in MENU.screens.items():
        if isinstance(screen, Input):
            assert gsm7.septets(screen.says["sw"]) is not None, name
