from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from ussdapp.core import gsm7
from ussdapp.wire.bodies import Delivered
from ussdapp.wire.receipt_text import ReceiptText, decoded, read_receipt, text_of

STANDARD = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2609011200 done date:2609011201 "
    "stat:DELIVRD err:000 text:Ndugu mwananchi"
)
AT_NOON = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


def came(text, esm_class=0x04, coding=0, tlvs=None) -> Delivered:
    message = text if isinstance(text, bytes) else text.encode("latin-1")
    return Delivered("255754000001", "15200", esm_class, coding, message, tlvs or {})


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        (STANDARD, ("0123456789", "DELIVRD", "000")),
        (STANDARD.upper(), ("0123456789", "DELIVRD", "000")),
        (STANDARD.replace("DELIVRD", "FAILED"), ("0123456789", "FAILED", "000")),
        (STANDARD.replace("DELIVRD", "0"), ("0123456789", "0", "000")),
        ("id:7 stat:undeliv", ("7", "UNDELIV", "")),
        ("id:7 sub:null dlvrd:null stat:REJECTD err:null", ("7", "REJECTD", "")),
        ("id:7 err:0 sub:1 stat:EXPIRED Text:\x01\x02", ("7", "EXPIRED", "0")),
        ("id:812FC7470000001B stat:ACCEPTD err:0045", ("812FC7470000001B", "ACCEPTD", "0045")),
        ("id: sub:001 stat:DELIVRD", ("", "DELIVRD", "")),
        ("id:null stat:DELIVRD", ("", "DELIVRD", "")),
        ("id: 7 stat: DELIVRD", ("7", "DELIVRD", "")),
        ("id:a:b stat:DELIVRD", ("a:b", "DELIVRD", "")),
        (
            "id:d7e8f6c0-4a5b-11ef-9a2b-0242ac120002 stat:DELIVRD submit date:260901120000",
            ("d7e8f6c0-4a5b-11ef-9a2b-0242ac120002", "DELIVRD", ""),
        ),
        ("id:7 stat:DELIVRD text:id:8 stat:UNDELIV err:9", ("7", "DELIVRD", "")),
        ("362d9701 2", ("", "", "")),
        ("", ("", "", "")),
    ],
    ids=[
        "the standard's example", "capitals", "FAILED with six letters", "stat:0",
        "fields missing", "words for numbers", "control octets and another order",
        "a 64-bit hex id", "no id", "id:null", "blanks after colons", "a colon in the id",
        "a UUID and a 12-digit date", "the citizen's text looks like a receipt", "no field at all",
        "nothing",
    ],
)  # fmt: skip
def test_a_receipt_is_read_however_it_is_spelt(text, receipt):
    read = read_receipt(came(text))
    assert read is not None
    assert (read.message_id, read.state, read.error) == receipt


@pytest.mark.parametrize(
    ("spelt", "moment"),
    [
        ("2611221253", (2026, 11, 22, 9, 53)),
        ("261122125310", (2026, 11, 22, 9, 53, 10)),
        ("202611221253", (2026, 11, 22, 9, 53)),
        ("20261122125310", (2026, 11, 22, 9, 53, 10)),
        ("2026-11-22 12:53:10", (2026, 11, 22, 9, 53, 10)),
        ("2613221253", None),
        ("0000000000", None),
        ("26112212", None),
        ("null", None),
        ("", None),
    ],
)
def test_when_a_part_was_submitted_is_read_as_east_africa_time(spelt, moment):
    expected = moment and datetime(*moment, tzinfo=UTC)
    for form in (STANDARD, STANDARD.replace(" sub:", "  sub:"), STANDARD.upper()):
        text = form.replace("2609011200", spelt)
        assert read_receipt(came(text)).submitted_on == expected


@given(
    st.from_regex(r"[!-~]{1,66}", fullmatch=True),
    st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True),
    st.from_regex(r"[!-~]{1,4}", fullmatch=True),
)
@settings(max_examples=examples(300), deadline=None)
def test_the_standard_form_reads_alike_with_and_without_a_stray_blank(message_id, state, error):
    text = STANDARD.replace("0123456789", message_id)
    text = text.replace("DELIVRD", state).replace("err:000", f"err:{error}")
    # a second blank takes it off the quick way
    assert read_receipt(came(text)) == read_receipt(came(text.replace(" sub:", "  sub:")))


def test_a_receipt_in_ucs2_is_decoded_first():
    encoded = STANDARD.encode("utf-16-be")
    for coding in (8, 0):
        assert read_receipt(came(encoded, coding=coding)) == read_receipt(came(STANDARD))


def test_parameters_win_over_the_text_and_what_they_lack_comes_from_it():
    whole = came(STANDARD, tlvs={0x1E: b"tlv-id\0", 0x0427: b"\x05", 0x0423: b"\x03\0\x45"})
    assert read_receipt(whole) == ReceiptText("tlv-id", "UNDELIV", "000", AT_NOON)
    partial = came(STANDARD, tlvs={0x1E: b"tlv-id\0"})
    assert read_receipt(partial) == ReceiptText("tlv-id", "DELIVRD", "000", AT_NOON)
    bare = came("", tlvs={0x1E: b"tlv-id", 0x0427: b"\x02", 0x0423: b"\x03\0\x45"})
    assert read_receipt(bare) == ReceiptText("tlv-id", "DELIVRD", "69")
    odd = came("", tlvs={0x1E: b"tlv-id", 0x0427: b"\xee"})
    assert read_receipt(odd) == ReceiptText("tlv-id", "238", "")


@pytest.mark.parametrize("esm_class", [0x04, 0x44, 0xC4, 0x07, 0x20])
def test_only_bits_5_to_2_of_esm_class_mark_a_receipt(esm_class):
    assert read_receipt(came(STANDARD, esm_class)) is not None


@pytest.mark.parametrize("esm_class", [0x00, 0x03, 0x40, 0x80, 0x08, 0x10])
def test_a_citizen_cannot_write_a_receipt_unless_the_operator_marks_none(esm_class):
    assert read_receipt(came(STANDARD, esm_class)) is None
    assert read_receipt(came(STANDARD, esm_class), "text") is not None
    assert read_receipt(came("LALAMIKO id:7", esm_class), "text") is None


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (gsm7.encode("Bei {5€} @nyumba"), 0, "Bei {5€} @nyumba"),
        ("Café".encode("latin-1"), 3, "Café"),
        ("Habari 😀 yako".encode("utf-16-be"), 8, "Habari 😀 yako"),
        ("Habari".encode("utf-16-be"), 0x18, "Habari"),
        (gsm7.encode("[x]"), 0xF1, "[x]"),
        (b"\xe9", 0xF5, "é"),
        (b"\x80\x1b", 0, "\ufffd"),
        (b"\xd8\x00", 8, "\ufffd"),
        (b"\0A\0", 8, "A\ufffd"),
    ],
    ids=[
        "GSM-7 with extensions", "Latin-1", "UCS-2 with a surrogate pair", "UCS-2 by group",
        "a message class", "8-bit with a class", "no septets", "half a pair", "an odd octet",
    ],
)  # fmt: skip
def test_a_text_is_decoded_by_its_data_coding(octets, coding, text):
    assert decoded(octets, coding) == text


def test_the_header_of_a_part_is_no_text():
    assert text_of(came(b"\x05\0\x03\x07\x02\x01Habari", 0x40)) == "Habari"
    assert text_of(came(b"\xff", 0x40)) == ""


@given(
    st.binary(max_size=300),
    st.integers(0, 255),
    st.integers(0, 255),
    st.dictionaries(st.sampled_from([0x1E, 0x0423, 0x0427]), st.binary(max_size=70)),
)
@settings(max_examples=examples(600), deadline=None)
def test_whatever_comes_is_a_receipt_or_a_text_and_never_an_error(octets, esm, coding, tlvs):
    one = Delivered("255754000001", "15200", esm, coding, octets, tlvs)
    for detect in ("marks", "text"):
        receipt = read_receipt(one, detect)
        if receipt is not None:
            assert "\0" not in receipt.message_id + receipt.state + receipt.error
    text_of(one).encode("utf-8")  # no lone surrogate: a store can keep it
