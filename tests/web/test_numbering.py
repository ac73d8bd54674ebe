"""Spellings of an MSISDN."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussdapp.core.msisdn import NotAnMsisdn
from ussdapp.wire.numbering import read_msisdn

SPELLINGS = {
    "canonical": "255754000123",
    "with a plus": "+255754000123",
    "a plus that form decoding made a space": " 255754000123",
    "the world's international prefix": "00255754000123",
    "Tanzania's international prefix": "000255754000123",
    "a zero before the country code": "0255754000123",
    "a zero after the country code": "+2550754000123",
    "national": "0754000123",
    "national with spaces": "0754 000 123",
    "with dashes and brackets": "(0754)-000-123",
    "bare subscriber number": "754000123",
    "Arabic digits": "٠٧٥٤٠٠٠١٢٣",
    "full-width digits": "２５５７５４０００１２３",
    "with a direction mark": "\u200e+255754000123",
}
STRANGERS = {
    "nothing": "",
    "a lone plus": "+",
    "a short code": "15200",
    "a sender's name": "MAJI-DSM",
    "a letter O for a zero": "0754O00123",
    "a Kenyan number": "+254712000123",
    "a landline": "+255222000123",
    "a superscript digit": "²55754000123",
    "one digit short": "25575400012",
    "one digit long": "2557540001234",
    "an extension": "0754000123;ext=2",
    "NUL": "\x00255754000123",
    "a lone surrogate": "\ud800255754000123",
    "ten thousand digits": "7" * 10_000,
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_one_msisdn(spelling: str) -> None:
    assert read_msisdn(spelling).digits == "255754000123"


@pytest.mark.parametrize("spelling", STRANGERS.values(), ids=STRANGERS)
def test_what_is_no_msisdn_is_refused_without_naming_it(spelling: str) -> None:
    with pytest.raises(NotAnMsisdn) as refusal:
        read_msisdn(spelling)
    assert re.search("[0-9]{4}", str(refusal.value)) is None
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__


@pytest.mark.parametrize("national", ["0641000123", "0600000123", "0720000123", "0690000123"])
def test_a_range_the_library_does_not_know_is_not_refused(national: str) -> None:
    assert read_msisdn(national).digits == f"255{national[1:]}"


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        assert len(read_msisdn(text).digits) == 12
    except NotAnMsisdn:
        pass
