"""A long text comes in parts: in any order, more than once, or not all of them."""

import itertools
from datetime import timedelta

import pytest

from tests.stores.world import ASHA, NOON, SEAL, World, after
from ussdapp.core.inbound import Mo
from ussdapp.core.mo_parts import MoPart
from ussdapp.stores.database import rows
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.stores.mos import PgMos
from ussdapp.wire.receipt_text import decoded

TEXT = "LALAMIKO tanesco Umeme hakuna 😀 tangu jana"
OCTETS = TEXT.encode("utf-16-be")
CUTS = (0, 62, 70, len(OCTETS))  # the first cuts the surrogate pair in two


def part(number: int, reference: str = "u9a", octets: bytes | None = None) -> MoPart:
    if octets is None:
        octets = OCTETS[CUTS[number - 1] : CUTS[number]]
    return MoPart(
        "sandbox", ASHA.digits, ASHA, "15200", reference, 3, number, octets, data_coding=8
    )


@pytest.fixture
def parts(world: World) -> PgMoParts:
    return PgMoParts(world.database, SEAL, decoded)


def test_the_pair_is_cut_in_two() -> None:
    assert "\ufffd" in decoded(part(1).octets, 8)


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))), ids=str)
def test_parts_in_any_order_are_one_text(parts: PgMoParts, order: tuple[int, ...]) -> None:
    *some, last = (part(number) for number in order)
    for one in some:
        assert parts.keep([one], NOON) == []
    (mo,) = parts.keep([last], after(1))
    assert (mo.text, mo.sender, mo.msisdn, mo.short_code) == (TEXT, ASHA.digits, ASHA, "15200")
    assert not mo.keyed_by_content


def test_all_parts_at_once_are_one_text(parts: PgMoParts) -> None:
    (mo,) = parts.keep([part(3), part(1), part(2), part(1)], NOON)
    assert mo.text == TEXT


def test_a_text_that_was_kept_and_not_received_is_told_again_with_the_same_key(
    parts: PgMoParts,
) -> None:
    (mo,) = parts.keep([part(1), part(2), part(3)], NOON)  # and the worker dies
    assert parts.keep([part(3)], after(60)) == [mo]
    parts.end(mo, after(60))
    assert parts.keep([part(1), part(2), part(3)], after(3600)) == []
    assert parts.overdue(after(7200)) == []


def test_the_same_reference_with_other_words_is_another_text(parts: PgMoParts) -> None:
    (mo,) = parts.keep([part(1), part(2), part(3)], NOON)
    parts.end(mo, NOON)
    others = [part(number, octets=b"\0A" * number) for number in (1, 2, 3)]
    (other,) = parts.keep(others, after(30))
    assert (other.text, other.key == mo.key) == ("A" * 6, False)


def test_what_came_by_ten_minutes_is_told_with_what_is_missing(parts: PgMoParts) -> None:
    parts.keep([part(3), part(1)], NOON)
    assert parts.overdue(after(599)) == []
    ((mo, missing),) = parts.overdue(after(600))
    assert (missing, mo.text) == (1, decoded(part(1).octets + part(3).octets, 8))
    parts.end(mo, after(600))
    assert parts.overdue(after(601)) == []
    assert parts.keep([part(2)], after(602)) == []
    ((rest, missing),) = parts.overdue(after(1300))
    assert (missing, rest.key == mo.key) == (2, False), "a part that comes later is not lost"


def test_parts_of_two_texts_do_not_mix(parts: PgMoParts) -> None:
    parts.keep([part(1), part(2)], NOON)
    assert parts.keep([part(3, reference="u9b")], NOON) == []


def test_nothing_a_citizen_wrote_is_kept_in_the_clear(world: World, parts: PgMoParts) -> None:
    parts.keep([part(1)], NOON)
    (row,) = world.database.run(lambda link: rows(link, "SELECT mo_parts::text FROM mo_parts"))
    assert ASHA.digits not in row[0]
    assert part(1).octets.hex() not in row[0]
    assert ASHA.digits.encode().hex() not in row[0]


def test_a_text_keyed_by_its_content_is_a_repeat_within_the_time_given(world: World) -> None:
    mo = Mo("sandbox", "content", ASHA.digits, ASHA, "15200", "HALI", keyed_by_content=True)
    mos = PgMos(world.database, SEAL)
    first = mos.keep(mo, NOON)
    assert mos.keep(mo, after(59)) == first
    assert mos.keep(mo, after(599), timedelta(minutes=10)) == first
    assert mos.keep(mo, after(599)) != first
