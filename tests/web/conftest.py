from collections.abc import Iterator

import pytest

from tests.fakes.served import Served, served


@pytest.fixture
def world(database_url: str, redis_url: str) -> Iterator[Served]:
    with served(database_url, redis_url) as made:
        yield made
