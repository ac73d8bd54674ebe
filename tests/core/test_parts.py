"""Parts are counted here by the tables of 3GPP TS 23.038, 6.2.1, written out once more from the
standard, and by 23.040, 9.2.3.24.1; nothing of the code under test is used."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from ussdapp.core import gsm7, parts
from ussdapp.core.parts import Encoding, Stranger, TooLong, split

# by code, as Unicode names them in the table of the GSM default alphabet
DEFAULT = [
    0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5,
    0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, None, 0xC6, 0xE6,
    0xDF, 0xC9, 0x20, 0x21, 0x22, 0x23, 0xA4, *range(0x25, 0x40), 0xA1, *range(0x41, 0x5B), 0xC4,
    0xD6, 0xD1, 0xDC, 0xA7, 0xBF, *range(0x61, 0x7B), 0xE4, 0xF6, 0xF1, 0xFC, 0xE0,
]  # fmt: skip
ESCAPED = {
    0x0C: 0x0A, 0x5E: 0x14, 0x7B: 0x28, 0x7D: 0x29, 0x5C: 0x2F, 0x5B: 0x3C, 0x7E: 0x3D, 0x5D: 0x3E,
    0x7C: 0x40, 0x20AC: 0x65,
}  # fmt: skip
CODES = {point: code for code, point in enumerate(DEFAULT) if point is not None}

gsm = st.text(st.sampled_from([*map(chr, CODES), *map(chr, ESCAPED)]), max_size=1700)
escapes = st.text(st.sampled_from("a[€"), min_size=140, max_size=500)
pairs = st.text(st.sampled_from("a😀ş"), min_size=50, max_size=300)
anything = st.text(max_size=900)


def independent_count(text: str) -> tuple[str, int]:
    """The alphabet and the parts, filled character by character."""
    weights = [1 if ord(c) in CODES else 2 if ord(c) in ESCAPED else None for c in text]
    if None in weights:
        weights = [2 if ord(c) > 0xFFFF else 1 for c in text]
        alone, joined, alphabet = 70, 67, "ucs2"
    else:
        alone, joined, alphabet = 160, 153, "gsm7"
    if sum(weights) <= alone:
        return alphabet, 1
    count, filled = 1, 0
    for weight in weights:
        if filled + weight > joined:
            count, filled = count + 1, 0
        filled += weight
    return alphabet, count


def independent_text(body: bytes, alphabet: Encoding) -> str:
    """What a handset reads of one part."""
    if alphabet is Encoding.UCS2:
        return body.decode("utf-16-be")
    back = {code: point for point, code in ESCAPED.items()}
    codes, text = iter(body), ""
    for code in codes:
        text += chr(back[next(codes)]) if code == 0x1B else chr(DEFAULT[code])
    return text


@given(st.one_of(gsm, escapes, pairs, anything))
@settings(max_examples=examples(400), deadline=None)
def test_parts_are_as_many_as_an_independent_encoder_counts(text):
    alphabet, count = independent_count(text)
    if count > 10:
        with pytest.raises(TooLong, match=str(count)):
            split(text)
        return
    cut = split(text)
    assert (cut.encoding.value, len(cut)) == (alphabet, count)
    read = [independent_text(body, cut.encoding) for body in cut.bodies]
    assert "".join(read) == text, "no escape and no pair is cut in two"


@given(st.one_of(gsm, anything))
@settings(max_examples=examples(200), deadline=None)
def test_the_quick_way_to_one_part_is_the_long_way(text):
    try:
        cut = split(text)
    except TooLong:
        assert parts.only_part(text) is None
        return
    alone = cut.encoding is Encoding.GSM7 and len(cut) == 1
    assert parts.only_part(text) == (cut.bodies[0] if alone else None)


def test_every_character_is_in_the_alphabet_or_forces_ucs2():
    for point in range(0x11000):
        known = point in CODES or point in ESCAPED
        expected = None
        if known:
            expected = bytes((CODES[point],)) if point in CODES else b"\x1b%c" % ESCAPED[point]
        assert parts.only_part(chr(point)) == expected, hex(point)


def test_a_lone_surrogate_is_written_as_a_question_mark():
    assert split("a\ud83d").bodies == (b"\0a\0?",)


@pytest.mark.parametrize(
    ("text", "stranger"),
    [
        ("Ndugu mwananchi {1}", None),
        ("Ombi la “Asha”", Stranger("“", 8, '"')),
        ("Lipa – leo’", Stranger("–", 5, "-")),
        ("TSh\u00a05,000", Stranger("\u00a0", 3, " ")),
        ("maji\u200b", Stranger("\u200b", 4, "")),
        ("Asante 😀", Stranger("😀", 7, None)),
        ("\0", Stranger("\0", 0, None)),
    ],
)
def test_the_character_that_forces_ucs2_is_named(text, stranger):
    assert parts.forces_ucs2(text) == stranger


@given(anything)
def test_a_text_is_ucs2_for_a_reason_that_is_named(text):
    named = parts.forces_ucs2(text)
    assert (named is None) == (independent_count(text)[0] == "gsm7")
    if named is not None:
        assert text[named.position] == named.character
        assert independent_count(text[: named.position])[0] == "gsm7"


@given(st.text(st.sampled_from(["a", "1", *gsm7.LOOK_ALIKES]), max_size=300))
def test_look_alikes_replaced_leave_a_text_of_gsm7(text):
    assert parts.forces_ucs2(gsm7.plain(text)) is None
    assert len(split(gsm7.plain(text))) <= len(split(text))


def test_what_is_replaced_is_what_gsm7_lacks():
    lacked = {*gsm7.LOOK_ALIKES}
    assert not {character for character in lacked if ord(character) in CODES}
    assert gsm7.plain("Jina: ’Asha’ — “TSh\u00a05”…") == "Jina: 'Asha' - \"TSh 5\"..."
