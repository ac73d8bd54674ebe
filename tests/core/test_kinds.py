"""What citizens type for a named kind: taken in any spelling, kept in one, shown in another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussdapp.core import gsm7
from ussdapp.core.kinds import KINDS, examples, is_ahead, is_past, taken
from ussdapp.core.patterns import MOST_WAYS, accepted, pattern_fault
from ussdapp.core.screens import Input

TAKEN = {
    "a control number": ("control_number", "994550451254", "994550451254", "994550451254"),
    "a spaced control number": ("control_number", "9945 5045-1254", "994550451254", "994550451254"),
    "an amount": ("amount", "20,500", "20500", "20,500"),
    "an amount with zeros before it": ("amount", "007", "7", "7"),
    "a date": ("date", "25121990", "25121990", "25/12/1990"),
    "a date with slashes": ("date", "25/12/1990", "25121990", "25/12/1990"),
    "a leap day": ("date", "29-02-2024", "29022024", "29/02/2024"),
    "a NIDA number": (
        "nida",
        "19900107-11101-00001-21",
        "19900107111010000121",
        "1990****-*****-*****-21",
    ),
    "a meter": ("meter", "2421 1234 567", "24211234567", "24211234567"),
    "a water account in small letters": (
        "account",
        "j4550 0178012",
        "J45500178012",
        "J45500178012",
    ),
    "a reference": ("reference", "1234-5678-9018", "123456789018", "1234-5678-9018"),
}
REFUSED = {
    "a control number of another beginning": ("control_number", "984550451254"),
    "a control number too short": ("control_number", "99455045125"),
    "no shillings": ("amount", "0"),
    "more shillings than there are": ("amount", "1" + "0" * 12),
    "a fraction": ("amount", "20.5"),
    "a day that is none": ("date", "30022024"),
    "a leap day in another year": ("date", "29022023"),
    "a year first": ("date", "19901225"),
    "the year nought": ("date", "01010000"),
    "a NIDA number too long": ("nida", "1" * 21),
    "a meter too short": ("meter", "1" * 10),
    "an account without a letter": ("account", "455001780"),
    "Arabic digits": ("meter", "٢" * 11),
    "a reference too long": ("reference", "1" * 13),
}


@pytest.mark.parametrize(("kind", "typed", "kept", "shown"), TAKEN.values(), ids=TAKEN.keys())
def test_a_value_is_taken_kept_and_shown(kind: str, typed: str, kept: str, shown: str) -> None:
    assert taken(kind, typed) == kept
    assert KINDS[kind].shown(kept) == shown


@pytest.mark.parametrize(("kind", "typed"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_of_the_kind_is_not_taken(kind: str, typed: str) -> None:
    assert taken(kind, typed) is None


@given(st.sampled_from(sorted(KINDS)), st.text())
def test_what_is_taken_is_taken_again_and_shown_within_its_width(kind: str, typed: str) -> None:
    kept = taken(kind, typed)
    if kept is not None:
        assert taken(kind, kept) == kept
        assert (gsm7.septets(KINDS[kind].shown(kept)) or 0) <= KINDS[kind].widest


def test_a_nida_number_is_never_shown_whole() -> None:
    assert "0710111" not in KINDS["nida"].shown("19900107111010000121")


@pytest.mark.parametrize(
    ("day", "past"),
    [("22112026", True), ("23112026", False), ("01122025", True)],
    ids=["today", "tomorrow", "a later day of an earlier year"],
)
def test_a_past_date_is_not_after_today(day: str, past: bool) -> None:
    assert is_past(day, "20261122") is past
    screen = Input({}, {}, "x", "y", takes="date", past=True)
    assert (accepted(screen, day, "20261122") is not None) is past


def test_an_example_is_found_within_its_sentence() -> None:
    assert next(examples("account", "Herufi na tarakimu, mfano J45500178012:")) == "J45500178012"
    assert next(examples("nida", "20 digits, example 19900107-11101-00001-21:"))
    assert not list(examples("meter", "Ni tarakimu 11."))


SLOW = ["(a+)+", "(a|aa)+b", "(a*)*", "([0-9]+)*x", "a*a*a*a*b", "(.*)(.*)(.*)", "(a?){30}a{30}"]
ODD = [r"(a)\1", "(?=a)b", "(?<!a)b"]
GOOD = ["[0-9]{4}", "[A-Z]{2}[0-9]{1,4}", ".*", r"\d{1,3}(,\d{3}){0,3}", "(sw|en)", "a?b?c?[0-9]+"]


@pytest.mark.parametrize("accepts", SLOW)
def test_a_pattern_that_may_take_too_long_is_refused(accepts: str) -> None:
    assert "too long" in (pattern_fault(accepts) or "")


@pytest.mark.parametrize("accepts", ODD)
def test_a_pattern_that_looks_around_or_back_is_refused(accepts: str) -> None:
    assert "which no input needs" in (pattern_fault(accepts) or "")


@pytest.mark.parametrize("accepts", GOOD)
def test_a_plain_pattern_is_served(accepts: str) -> None:
    assert pattern_fault(accepts) is None


@pytest.mark.parametrize("accepts", ["(", "[", "a{2,1}", "*", "a" * 10 + "{99999999999}"])
def test_what_is_no_pattern_is_told_so(accepts: str) -> None:
    assert "no regular expression" in (pattern_fault(accepts) or "")


def test_many_alternatives_are_counted_not_tried() -> None:
    assert pattern_fault("(a|b|cd)" * 40) is not None
    assert MOST_WAYS > 182 * 182


@pytest.mark.parametrize(
    ("day", "ahead"),
    [("21112026", False), ("22112026", True), ("23112026", True), ("01012027", True),
     ("31122025", False)],
)  # fmt: skip
def test_a_future_date_is_not_before_today(day: str, ahead: bool) -> None:
    assert is_ahead(day, "20261122") is ahead
    screen = Input({}, {}, "x", "y", takes="date", future=True)
    assert (accepted(screen, day, "20261122") is not None) is ahead
    assert is_ahead(day, ""), "nobody knows which day it is"
