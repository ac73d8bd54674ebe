from collections.abc import Iterator

import pytest

from tests.stores.world import World
from ussdapp.stores.database import Database


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    made = World(database, database_url)
    yield made
    made.leases.release()
    database.close()
