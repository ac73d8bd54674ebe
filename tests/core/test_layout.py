"""Pages: nothing is lost, nothing is wider than the screen, no option is cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ussdapp.core import gsm7
from ussdapp.core.layout import Frame, frame_for, lay, units
from ussdapp.core.screen_text import told, width

FRAME = Frame(160, "99 Zaidi", "0 Rudi  00 Mwanzo", "0 Rudi  00 Mwanzo", spare=17)
LAST = Frame(160, "99 Zaidi", "", "0 Rudi", ends=True)
WORDS = st.lists(
    st.one_of(st.sampled_from(["maji", "Mbezi", "€uro", "a" * 170, "", "\n", "[x]"]), st.text()),
    max_size=80,
).map(" ".join)
LINES = st.lists(
    st.integers(1, 60).map(lambda long: f"{long} {'chaguo ' * (long // 7)}x"),
    max_size=40,
)


@settings(deadline=None)
@given(WORDS, LINES, st.sampled_from([FRAME, LAST]))
def test_the_pages_joined_are_the_text_and_its_lines(
    text: str, lines: list[str], frame: Frame
) -> None:
    pages = lay(text, lines, frame_for(text, frame))
    assert "".join(page.piece for page in pages) == text
    assert [line for page in pages for line in page.lines] == lines


@settings(deadline=None)
@given(WORDS, LINES, st.sampled_from([FRAME, LAST]))
def test_no_page_is_wider_than_the_screen(text: str, lines: list[str], frame: Frame) -> None:
    text = told(text)
    measured = frame_for(text, frame)
    if not measured.takes(lines):
        return
    for page in lay(text, lines, measured):
        assert measured.measure(page.text) <= measured.budget
        if gsm7.septets(text) is None:
            assert units(page.text) <= 70


@settings(deadline=None)
@given(WORDS, LINES)
def test_a_sentence_above_a_page_leaves_its_lines_and_its_way_back(
    text: str, lines: list[str]
) -> None:
    text = told(text)
    if gsm7.septets(text) is None:
        return
    for page in lay(text, lines, FRAME):
        warned = page.warning("Chaguo si sahihi.", FRAME)
        assert width(warned) <= FRAME.budget
        assert warned.startswith("Chaguo si sahihi.")
        assert warned.endswith("".join(f"\n{line}" for line in page.lines) + page.tail)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["maji", "Mbezi", "kwa", "tangu"]), min_size=1, max_size=200))
def test_text_is_cut_at_word_ends_and_every_page_is_full(words: list[str]) -> None:
    pages = lay(" ".join(words), (), FRAME)
    assert [word for page in pages for word in page.piece.split()] == words
    for here, then in pairwise(pages):
        first = then.piece.split()[0]
        assert width(f"{here.piece.rstrip()} {first}{here.tail}") > FRAME.budget


@pytest.mark.parametrize(
    ("long", "pages"), [(142, 1), (143, 2)], ids=["just fits", "one septet more"]
)
def test_the_only_page_has_the_room_of_the_line_that_leads_on(long: int, pages: int) -> None:
    laid = lay("a" * long, (), FRAME)
    assert len(laid) == pages
    assert "99" not in laid[-1].tail


def test_the_last_page_of_an_end_has_nothing_below_it() -> None:
    pages = lay("maji " * 90, (), LAST)
    assert [page.tail for page in pages] == ["\n99 Zaidi", "\n99 Zaidi\n0 Rudi", ""]


def test_a_line_too_wide_for_any_page_is_shown_all_the_same() -> None:
    assert [page.lines for page in lay("", ("1 " + "x" * 200, "2 y"), FRAME)] == [
        ("1 " + "x" * 200,),
        ("2 y",),
    ]


def test_one_strange_character_makes_a_screen_of_70_units() -> None:
    pages = lay("Habari 😀 " * 30, (), frame_for("😀", LAST))
    assert all(units(page.text) <= 70 for page in pages)
    assert len(pages) > 4
