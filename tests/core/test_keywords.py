"""What a text to the short code asks for."""

import pytest

from ussdapp.core.keywords import WORDS, Verb, fields, read


@pytest.mark.parametrize(
    ("text", "verb", "subject", "words"),
    [
        ("LALAMIKO EGA Barua pepe", Verb.FILE, "EGA", "Barua pepe"),
        ("lalamiko*ega*Barua pepe", Verb.FILE, "ega", "Barua pepe"),
        ("  #Maoni#EGA#x", Verb.FILE, "EGA", "x"),
        ("Zaidi 123", Verb.ADD, "123", ""),
        ("MORE 123 x", Verb.ADD, "123", "x"),
        ("hali", Verb.STATUS, "", ""),
        ("GEPG 994550451254", Verb.UNKNOWN, "994550451254", ""),
        ("\u202eACHA\u0000 ega", Verb.OPT_OUT, "ega", ""),
        ("", Verb.UNKNOWN, "", ""),
    ],
)
def test_a_text_is_read_in_any_case_and_with_any_separator(
    text: str, verb: Verb, subject: str, words: str
) -> None:
    command = read(text)
    assert (command.verb, command.subject, command.words) == (verb, subject, words)


@pytest.mark.parametrize(
    ("rest", "digits", "words"),
    [
        ("123456789018 Bado", "123456789018", "Bado"),
        ("1234-5678-9018 Bado", "123456789018", "Bado"),
        ("1234 5678 9018 Bado 5", "123456789018", "Bado 5"),
        ("1234 5678 9018 5 wapo", "123456789018", "5 wapo"),
        ("1234*5678*9018*Bado", "123456789018", "Bado"),
        ("123456789018: Bado", "123456789018", "Bado"),
        ("123456789018", "123456789018", ""),
        ("1234567890185 Bado", "", "1234567890185 Bado"),
        ("12345678901 Bado", "", "12345678901 Bado"),
        ("Bado", "", "Bado"),
        ("", "", ""),
    ],
)
def test_words_are_told_from_the_reference_before_them(rest: str, digits: str, words: str) -> None:
    assert read(f"ZAIDI {rest}").addition == (digits, words)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("LALAMIKO EGA x", True), ("ZAIDI 1234-5678-9018 x", True), ("ZAIDI 1234-5678-9018", False),
        ("ZAIDI 1234 5678 9018", False), ("LALAMIKO EGA", False), ("ACHA EGA x", False),
    ],
)  # fmt: skip
def test_only_words_for_a_case_tell_something(text: str, tells: bool) -> None:
    assert read(text).tells is tells


def test_fields_lose_the_stops_people_write() -> None:
    assert fields(" GEPG: 994550451254, *asante#. ") == ["GEPG", "994550451254", "asante"]


def test_every_word_the_gateway_keeps_is_in_capitals() -> None:
    assert all(word.isascii() and word.isupper() for word in WORDS)
