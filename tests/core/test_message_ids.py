"""One id in two spellings is found, and no other is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussdapp.core.message_ids import Base, Found, Learnt, folded, meant, sought, sought_in

IDS = st.integers(0, 2**64 - 1)
FORMS = st.sampled_from(
    [str, "{:x}".format, "{:X}".format, "{:016x}".format, "{:016X}".format, "{:023d}".format]
)


@given(IDS, FORMS, FORMS)
def test_any_64_bit_id_is_found_in_any_form(number: int, answer, receipt) -> None:
    assert folded(answer(number)) in sought(receipt(number))


@given(st.text("0123456789abcdefABCDEFxyz-:", min_size=1, max_size=128))
def test_any_id_is_found_as_spelt_and_in_either_case(spelt: str) -> None:
    assert folded(spelt) == sought(spelt)[0] == sought(spelt.upper())[0]


@given(st.text("0123456789abcdefABCDEFxyz-:", max_size=128))
def test_an_id_sought_in_one_base_is_that_of_all_bases(spelt: str) -> None:
    assert tuple(sought_in(base, [spelt])[0] for base in Base) == sought(spelt)


def found(number: int, base: Base, as_spelt: bool = False, same: bool | None = True) -> Found:
    return Found(number, 1, 1, base, as_spelt, same)


HEX = Learnt(Base.HEX_TO_DECIMAL, 3)


@pytest.mark.parametrize(
    ("candidates", "learnt", "number"),
    [
        ([found(1, Base.HEX_TO_DECIMAL)], Learnt(), 1),
        ([found(1, Base.HEX_TO_DECIMAL), found(2, Base.DECIMAL_TO_HEX)], Learnt(), None),
        ([found(1, Base.HEX_TO_DECIMAL), found(2, Base.DECIMAL_TO_HEX)], HEX, 1),
        ([found(1, Base.HEX_TO_DECIMAL), found(2, Base.SAME, True)], HEX, 1),
        ([found(1, Base.HEX_TO_DECIMAL), found(2, Base.SAME, True)], Learnt(), 2),
        ([found(1, Base.HEX_TO_DECIMAL, same=None), found(2, Base.SAME, True, None)], HEX, 2),
        ([found(1, Base.SAME, True), found(2, Base.SAME, True)], Learnt(), 1),
        ([found(1, Base.DECIMAL_TO_HEX)], HEX, None),
        ([found(1, Base.HEX_TO_DECIMAL, same=False)], HEX, None),
        ([found(1, Base.HEX_TO_DECIMAL, same=None)], HEX, None),
        ([found(1, Base.SAME, True, same=False)], Learnt(), None),
        ([found(1, Base.SAME, True, same=None)], Learnt(), 1),
        ([], HEX, None),
    ],
    ids=[
        "the only one", "two bases before any is known", "two bases, one known",
        "as spelt, and in the known base", "as spelt before any is known",
        "as spelt, and no MSISDN",
        "the newest of two", "another base than the known one", "another's MSISDN",
        "no MSISDN, and spelt otherwise", "as spelt, another's MSISDN", "as spelt, no MSISDN",
        "none",
    ],
)  # fmt: skip
def test_a_receipt_means_at_most_one_submit(candidates, learnt, number) -> None:
    one, _ = meant(candidates, learnt)
    assert (one and one.notification_id) == number


def test_a_locked_base_changes_after_three_in_a_row_say_so() -> None:
    learnt = Learnt()
    for _ in range(3):
        learnt = learnt.after(Base.HEX_TO_DECIMAL)
    assert learnt.locked
    for _ in range(5):  # never three in a row
        learnt = learnt.after(Base.SAME).after(Base.SAME).after(Base.HEX_TO_DECIMAL)
    assert learnt.base is Base.HEX_TO_DECIMAL
    for _ in range(3):
        learnt = learnt.after(Base.SAME)
    assert (learnt.base, learnt.locked) == (Base.SAME, True)
