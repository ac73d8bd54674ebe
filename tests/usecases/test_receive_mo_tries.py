"""A reference is guessed by SMS no oftener than from the menu: both ways are counted together."""

from dataclasses import replace

import pytest

from tests.fakes.dialogue import FakeSessions
from tests.fakes.kept import Kept
from tests.usecases.receiving import ASHA, NOON, ONE, mo, receiving, said
from ussdapp.core.reference import Reference
from ussdapp.core.session import MOST_TRIES
from ussdapp.usecases.receive_mo import ReceiveMo

DAY = "20261120"
UNKNOWN = "Namba ya kumbukumbu haijapatikana"


def counting(kept: Kept, tries: FakeSessions) -> ReceiveMo:
    return replace(receiving(kept), tries=tries)


def wrong(number: int) -> str:
    return str(Reference.numbered(1000 + number))


@pytest.fixture
def kept() -> Kept:
    kept = Kept()
    receiving(kept)(mo("LALAMIKO EGA Barua pepe haifunguki"), NOON)
    return kept


@pytest.mark.parametrize("word", ["HALI", "ZAIDI"])
def test_ten_wrong_references_a_day_and_then_none_is_looked_up(kept: Kept, word: str) -> None:
    tries = FakeSessions()
    receive = counting(kept, tries)
    for number in range(MOST_TRIES):
        receive(mo(f"{word} {wrong(number)} tena", f"w{number}"), NOON)
    assert tries.tried(ASHA, DAY) == (MOST_TRIES if word == "ZAIDI" else 0)
    for number in range(MOST_TRIES):
        receive(mo(f"HALI {wrong(number)}", f"h{number}"), NOON)
    assert tries.tried(ASHA, DAY) == MOST_TRIES
    receive(mo(f"HALI {ONE}", "right"), NOON)
    receive(mo(f"ZAIDI {ONE} bado", "more"), NOON)
    assert all(text.startswith(UNKNOWN) for text in said(kept)[-2:])


def test_what_was_tried_from_the_menu_counts_by_sms(kept: Kept) -> None:
    tries = FakeSessions()
    for number in range(MOST_TRIES):
        tries.tried(ASHA, DAY, wrong(number))
    counting(kept, tries)(mo(f"HALI {ONE}", "m2"), NOON)
    assert said(kept)[-1].startswith(UNKNOWN)


def test_with_redis_away_a_citizen_still_follows_up(kept: Kept) -> None:
    tries = FakeSessions()
    tries.down = True
    counting(kept, tries)(mo(f"HALI {ONE}", "m2"), NOON)
    assert "Hali: Umepokelewa" in said(kept)[-1]
