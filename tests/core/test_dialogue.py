"""The dialogue: every key gives a screen that a handset can show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.dialogue import INSTITUTIONS, real_menu
from ussdapp.core import gsm7
from ussdapp.core.dialogue import begin, resume, step
from ussdapp.core.menu import Menu, items_of
from ussdapp.core.page import render
from ussdapp.core.replay import extend, replay
from ussdapp.core.screen_text import cleaned, cut, fit, readable, width
from ussdapp.core.session import Found, Record, Session, Turn

MENU = real_menu()
REAL_KEYS = st.sampled_from(
    [
        "1",
        "2",
        "3",
        "4",
        "5",
        "8",
        "9",
        "0",
        "00",
        "99",
        "ega",
        "ma",
        "Maji hayatoki Mbezi",
        "1234-5678-9018",
    ]
)
STRANGE = st.sampled_from(
    ["{kumbukumbu}", "😀" * 90, "€" * 182, "[{|}]" * 30, "a*b", "#*#", "\x00", "\u202e9", "\ud800"]
)
KEYS = st.lists(st.one_of(REAL_KEYS, REAL_KEYS, STRANGE, st.text(max_size=200)), max_size=25)
FOUND = {
    "case.file": Found("filed", {"kumbukumbu": "4821-3000-0015"}),
    "case.status": Found("missing"),
}


def walked(*keys: str, language: str = "sw") -> Turn:
    """The turn those keys lead to, every ask answered as FOUND says."""
    turn = begin(MENU, language)
    for key in keys:
        turn = settled(step(MENU, turn.session, key))
    return turn


def settled(turn: Turn) -> Turn:
    return (
        resume(MENU, turn.session, FOUND.get(turn.ask.name, Found("unavailable")))
        if turn.ask
        else turn
    )


TO_WORDS = ("9", "2", "1", "1", "ega")


@settings(deadline=None)
@given(KEYS, st.sampled_from(["sw", "en"]))
def test_whatever_is_keyed_every_screen_is_gsm7_within_the_budget(
    keys: list[str], language: str
) -> None:
    turn = begin(MENU, language)
    for key in keys:
        turn = settled(step(MENU, turn.session, cleaned(key)))
        width = gsm7.septets(turn.text)
        assert width is not None
        assert 0 < width <= MENU.budget


@settings(deadline=None)
@given(KEYS, st.one_of(REAL_KEYS, st.text(max_size=30)))
def test_back_shows_the_screen_that_a_key_left(keys: list[str], key: str) -> None:
    left = walked(*keys)
    gone = step(MENU, left.session, key)
    moved_on = len(gone.session.trail) == len(left.session.trail) + 1
    if moved_on and not gone.ask and not gone.ends:
        back = step(MENU, gone.session, "0")
        assert back.session.place == left.session.place
        assert back.text == render(MENU, left.session)  # without a wrong key's sentence


@settings(deadline=None)
@given(KEYS)
def test_a_record_replayed_shows_every_screen_again(keys: list[str]) -> None:
    record = Record(MENU.version, "sw")
    turn = begin(MENU, "sw")
    for key in map(cleaned, keys):
        turn = step(MENU, turn.session, key)
        record = Record(record.version, record.language, (*record.keys, key), record.found)
        if turn.ask:
            record = Record(
                record.version,
                "sw",
                record.keys,
                (*record.found, FOUND.get(turn.ask.name, Found("unavailable"))),
            )
            turn = settled(turn)
        assert replay(MENU, record) == turn


def test_a_wrong_key_shows_the_screen_again_with_a_sentence() -> None:
    before = walked("9", "2")
    after = step(MENU, before.session, "7")
    assert after.text == f"Chaguo si sahihi.\n{before.text}"
    assert after.session.place == before.session.place


def test_home_forgets_the_way_and_the_answers_but_not_the_language() -> None:
    home = walked("8", "2", *TO_WORDS, "00")
    assert home == begin(MENU, "en")


def test_the_first_screen_and_an_end_have_no_way_back() -> None:
    assert "0 Rudi" not in begin(MENU, "sw").text
    end = walked("9", "2", "3", "1")
    assert end.ends
    assert "0 Rudi" not in end.text
    assert step(MENU, end.session, "0") == end


def test_a_lookup_asks_with_the_answers_given_so_far() -> None:
    turn = begin(MENU, "sw")
    for key in (*TO_WORDS, "Maji hayatoki", "2", "1"):
        turn = step(MENU, turn.session, key)
    assert turn.ask is not None
    assert turn.ask.name == "case.file"
    assert dict(turn.ask.answers) == {
        "aina": "lalamiko",
        "taasisi": "ega",
        "maelezo": "Maji hayatoki",
        "utambulisho": "hidden",
    }


def test_another_try_at_a_reference_stands_once_on_the_way_back() -> None:
    tries = walked("9", "2", "2", *["482130000016"] * 3)
    assert tries.text.startswith("Namba hiyo haijapatikana.")
    assert step(MENU, tries.session, "0").text == walked("9", "2", "2").text


@pytest.mark.parametrize("typed", ["ega", "EGA", " Ega "], ids=["lower", "capitals", "spaced"])
def test_a_short_name_selects_in_any_case(typed: str) -> None:
    assert walked("9", "2", "1", "1", typed).session.answers["taasisi"] == "ega"


def test_letters_narrow_the_list_by_the_beginning_of_any_word_of_a_name() -> None:
    text = walked("9", "2", "1", "1", "map").text
    assert "1 TRA Mamlaka ya Mapato Tanzania" in text
    assert "EGA" not in text


def test_letters_that_begin_nothing_leave_the_page_as_it_is() -> None:
    before = walked("9", "2", "1", "1", "99")
    after = step(MENU, before.session, "zzz")
    assert after.text.startswith("Haijapatikana.")
    assert after.text.split("\n")[1:] == before.text.split("\n")[1:]


def test_a_number_takes_the_item_shown_beside_it_on_that_page() -> None:
    second = walked("9", "2", "1", "1", "99")
    line = next(line for line in second.text.split("\n") if line.startswith("2 "))
    chosen = step(MENU, second.session, "2").session.answers["taasisi"]
    assert line.split()[1] == chosen.upper()


@pytest.mark.parametrize(
    "key", ["9", "٣", "²", "0x1"], ids=["absent", "arabic", "superscript", "hexadecimal"]
)
def test_a_number_that_is_not_on_the_page_takes_nothing(key: str) -> None:
    assert "taasisi" not in walked("9", "2", "1", "1", key).session.answers


@settings(deadline=None)
@given(st.sampled_from(["sw", "en"]))
def test_the_pages_together_show_every_institution_once(language: str) -> None:
    turn = walked("9", "2", "1", "1", language=language)
    seen: list[str] = []
    more = True
    while more:
        lines = turn.text.split("\n")[1:]
        more = any(line.startswith("99 ") for line in lines)
        seen += [line.split()[1].lower() for line in lines if not line.startswith(("0 ", "99 "))]
        turn = step(MENU, turn.session, "99")
    assert seen == sorted(institution.short_name for institution in INSTITUTIONS)


def test_the_confirmation_cuts_long_words_and_nothing_else() -> None:
    text = walked(*TO_WORDS, "Maji " * 36, "1").text
    assert text.startswith("Thibitisha: Lalamiko kwa EGA\nMaji Maji")
    assert text.endswith("...\n1 Tuma\n2 Ghairi\n0 Rudi  00 Mwanzo")
    assert gsm7.septets(text) == pytest.approx(MENU.budget, abs=2)


def test_a_value_is_never_filled_in_again() -> None:
    assert "{taasisi} {aina}" in walked(*TO_WORDS, "{taasisi} {aina}", "1").text


def test_the_language_changes_from_the_next_screen_on() -> None:
    assert walked("8", "2").text.startswith("Welcome to Government services")
    assert walked("8", "2", "8", "1").text == begin(MENU, "sw").text


def test_another_list_is_another_menu_version() -> None:
    fewer = {"institutions": items_of(INSTITUTIONS[:3])}
    other = Menu(MENU.first, MENU.words, MENU.screens, fewer, MENU.values, MENU.budget)
    assert other.version != MENU.version
    assert real_menu().version == MENU.version


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("a\x00b\x1bc\x7f", "abc"),
        ("ma\u202eji\u200f\u2066", "maji"),
        ("ma\r\nji", "ma  ji"),
        ("\ud83dna\udc00", "na"),
        ("*#😀é", "*#😀é"),
    ],
    ids=["controls", "direction marks", "line breaks", "lone surrogates", "words"],
)
def test_only_what_a_keypad_types_is_left(typed: str, left: str) -> None:
    assert cleaned(typed) == left


@given(st.text(), st.text())
def test_the_beginning_of_a_text_stays_the_beginning_once_cleaned(head: str, tail: str) -> None:
    assert cleaned(head + tail) == cleaned(head) + cleaned(tail)


@given(st.text(alphabet=st.characters()))
def test_a_readable_text_is_gsm7(text: str) -> None:
    assert gsm7.septets(readable(text)) is not None


@given(st.text())
def test_the_width_of_a_readable_text_is_its_septets(text: str) -> None:
    assert width(readable(text)) == gsm7.septets(readable(text))


@given(st.text(), st.integers(min_value=3, max_value=60))
def test_a_cut_text_fits_its_room(text: str, room: int) -> None:
    assert (gsm7.septets(cut(readable(text), room)) or 0) <= room


@given(st.text(), st.text())
def test_two_long_values_share_what_room_there_is(one: str, other: str) -> None:
    text = fit("{a} na {b} na {a}", {"a": one, "b": other}, 80)
    assert (gsm7.septets(text) or 0) <= 80


# -- spelling a cumulative text into keys


def spelt(text: str) -> tuple[str, ...]:
    return extend(MENU, Record(MENU.version, "sw"), text.split("*")).record.keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("9*2*1", ("9", "2", "1")),
        (
            "9*2*1*1*ega*Piga *152*00# kesho*1",
            ("9", "2", "1", "1", "ega", "Piga *152*00# kesho", "1"),
        ),
        ("9*2*1*1*ega*Maji hayatoki*7*1", ("9", "2", "1", "1", "ega", "Maji hayatoki", "7", "1")),
        (
            "9*2*1*1*ega*Maji hayatoki*0*Maji",
            ("9", "2", "1", "1", "ega", "Maji hayatoki", "0", "Maji"),
        ),
        ("9**2", ("9", "", "2")),
    ],
    ids=["keys", "a typed star", "a wrong key after words", "back after words", "nothing keyed"],
)
def test_a_cumulative_text_is_spelt(text: str, keys: tuple[str, ...]) -> None:
    assert spelt(text) == keys


def test_a_known_key_is_never_taken_into_the_words_before_it() -> None:
    known = Record(MENU.version, "sw", (*TO_WORDS, "Maji hayatoki"))
    assert extend(MENU, known, ("hapana hapana",)).record.keys[-1] == "hapana hapana"


def test_a_session_is_not_changed_by_a_step() -> None:
    session = Session("main.mwanzo", "sw")
    step(MENU, session, "9")
    assert session == Session("main.mwanzo", "sw")
