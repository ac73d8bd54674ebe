"""Values guard their own door: MSISDNs, reference numbers, GSM-7, parts, moves, keywords."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussdapp.core import gsm7, keywords
from ussdapp.core.keywords import Verb
from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.core.parts import Encoding, TooLong, split
from ussdapp.core.reference import RANGE, NotAReference, Reference
from ussdapp.core.routing import Route, Routes
from ussdapp.core.status import FINAL, MOVES, PartReceipt, Status, receipted, sources
from ussdapp.core.texts import Texts, fill


def test_an_msisdn_masks_its_face() -> None:
    assert f"{Msisdn('255754000001')} {Msisdn('255754000001')!r}" == "25575****001 25575****001"


@pytest.mark.parametrize(
    "digits",
    ["255254000001", "25575400000", "2557540000012", "+255754000001", "0754000001",
     "255754000001\n", "٢٥٥٧٥٤٠٠٠٠٠١", ""],
)  # fmt: skip
def test_what_is_no_msisdn_is_refused_without_being_repeated(digits: str) -> None:
    with pytest.raises(NotAnMsisdn) as refusal:
        Msisdn(digits)
    assert not digits or digits not in str(refusal.value)


@given(st.integers(0, RANGE - 1))
def test_a_reference_is_read_as_it_is_shown(number: int) -> None:
    reference = Reference.numbered(number)
    assert Reference.parse(f" {reference} ") == reference
    assert Reference.parse(str(reference).replace("-", " ")) == reference


@given(st.integers(0, RANGE - 1), st.integers(0, 11), st.integers(1, 9))
def test_one_mistyped_digit_is_noticed(number: int, place: int, other: int) -> None:
    digits = Reference.numbered(number).digits
    wrong = str((int(digits[place]) + other) % 10)
    with pytest.raises(NotAReference):
        Reference.parse(digits[:place] + wrong + digits[place + 1 :])


@given(st.integers(0, RANGE - 1), st.integers(0, 10))
def test_two_neighbours_swapped_are_noticed(number: int, place: int) -> None:
    digits = Reference.numbered(number).digits
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    if swapped != digits:
        with pytest.raises(NotAReference):
            Reference.parse(swapped)


@given(st.text(alphabet=st.sampled_from("abc @£€[]{}^~\\|ÄÖñüà\n"), max_size=200))
def test_what_gsm7_carries_comes_back(text: str) -> None:
    assert gsm7.decode(gsm7.encode(text)) == text


def test_the_character_that_forces_ucs2_is_named() -> None:
    assert gsm7.septets("ng'ombe") == 7
    assert gsm7.septets("€") == 2
    assert gsm7.septets("habari ç") is None
    assert gsm7.strangers("’habari çç") == ("’", "ç")
    assert gsm7.plain("“ng’ombe”—…") == '"ng\'ombe"-...'


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("ş" * 70, 1),
     ("ş" * 71, 2), ("ş" * 134, 2), ("ş" * 135, 3), ("a" * 152 + "€" * 5, 2), ("😀" * 36, 2)],
)  # fmt: skip
def test_parts_begin_where_the_standard_says(text: str, parts: int) -> None:
    assert len(split(text)) == parts


@given(st.text(max_size=600))
def test_no_part_splits_a_character_and_nothing_is_lost(text: str) -> None:
    parts = split(text)
    if parts.encoding is Encoding.GSM7:
        assert "".join(gsm7.decode(body) for body in parts.bodies) == text
    else:
        whole = "".join(body.decode("utf-16-be") for body in parts.bodies)
        assert whole == text.encode("utf-16-be", "replace").decode("utf-16-be")


def test_a_text_of_eleven_parts_is_refused() -> None:
    with pytest.raises(TooLong):
        split("a" * (153 * 10 + 1))


def test_a_final_status_stays() -> None:
    assert all(not MOVES[status] for status in FINAL)
    assert set(MOVES) == set(Status)
    assert sources(Status.DELIVERED) == ["queued", "submitted", "in_doubt"]


def part(number: int, attempt: int, status: str | None) -> PartReceipt:
    return PartReceipt(number, attempt, status)


@pytest.mark.parametrize(
    ("parts", "known", "told"),
    [
        (1, [part(1, 1, "delivered")], Status.DELIVERED),
        (2, [part(1, 1, "delivered"), part(2, 1, None)], Status.SUBMITTED),
        (2, [part(1, 1, "delivered"), part(2, 1, "expired")], Status.EXPIRED),
        (1, [part(1, 1, "undelivered"), part(1, 2, None)], Status.SUBMITTED),
        (1, [part(1, 1, "delivered"), part(1, 2, "rejected")], Status.DELIVERED),
    ],
    ids=["whole", "in part", "worst part", "an older copy failed", "an older copy arrived"],
)
def test_receipts_of_parts_make_one_status(
    parts: int, known: list[PartReceipt], told: Status
) -> None:
    assert receipted(parts, known)[0] is told


def test_the_longest_prefix_is_the_route() -> None:
    routes = Routes.ordered([Route("", "at"), Route("255", "sandbox"), Route("25575", "vodacom")])
    named = [routes.channel(Msisdn(d)) for d in ("255754000001", "255713000002")]
    assert named == ["vodacom", "sandbox"]
    with pytest.raises(LookupError):
        Routes(()).channel(Msisdn("255754000001"))


def test_a_value_is_never_read_for_gaps() -> None:
    texts = Texts({"a": {"sw": "Jibu: {jibu}"}})
    assert texts.say("a", "en", {"jibu": "{siri} {{7*7}}"}) == "Jibu: {siri} {{7*7}}"
    assert fill("{a}{b}", {"a": "{b}", "b": "x"}) == "{b}x"


@pytest.mark.parametrize(
    ("text", "verb", "subject", "words"),
    [
        ("msaada", Verb.HELP, "", ""),
        ("LALAMIKO EGA Barua pepe  haifunguki", Verb.FILE, "EGA", "Barua pepe  haifunguki"),
        ("lalamiko*ega*maji*machafu", Verb.FILE, "ega", "maji*machafu"),
        ("  Hali#1234-5678-9018 ", Verb.STATUS, "1234-5678-9018", ""),
        ("HALI 1234 5678 9018", Verb.STATUS, "1234", "5678 9018"),
        ("ACHA", Verb.OPT_OUT, "", ""),
        ("stop ega", Verb.OPT_OUT, "ega", ""),
        ("Lugha EN", Verb.LANGUAGE, "EN", ""),
        ("\u202emsaada\x00", Verb.HELP, "", ""),
        ("", Verb.UNKNOWN, "", ""),
        ("***", Verb.UNKNOWN, "", ""),
    ],
)
def test_a_text_is_understood(text: str, verb: Verb, subject: str, words: str) -> None:
    command = keywords.read(text)
    assert (command.verb, command.subject, command.words) == (verb, subject, words)


@given(st.text())
def test_any_text_is_read_without_a_fault(text: str) -> None:
    command = keywords.read(text)
    assert "\x00" not in command.rest


def test_many_msisdns_are_proven_together_and_what_is_none_is_not_let_through() -> None:
    spelt = ["255754000001", "255654000002"]
    assert Msisdn.all(spelt) == [Msisdn(one) for one in spelt]
    assert Msisdn.all([]) == []
    for wrong in (["255754000001", "25575400000"], ["255754000001 255754000002"], [""]):
        with pytest.raises(NotAnMsisdn):
            Msisdn.all(wrong)
