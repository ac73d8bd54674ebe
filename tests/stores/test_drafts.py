"""Offers to go on are remembered where no loss of Redis forgets them."""

import pytest

from tests.fakes.dialogue import FakeOffers
from tests.stores.world import NOON, World
from ussdapp.ports import Offers
from ussdapp.stores.drafts import PgOffers


@pytest.fixture(params=["fake", "postgresql"])
def offers(request: pytest.FixtureRequest) -> Offers:
    if request.param == "fake":
        return FakeOffers()
    world: World = request.getfixturevalue("world")
    return PgOffers(world.database)


def test_an_offer_that_was_made_is_known_and_no_other(offers: Offers) -> None:
    offers.make("k", NOON)
    assert offers.made("k")
    assert not offers.made("l")


def test_an_offer_made_twice_is_one(offers: Offers) -> None:
    offers.make("k", NOON)
    offers.make("k", NOON)
    assert offers.made("k")
