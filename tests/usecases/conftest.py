import pytest

from tests.fakes.dialogue import World


@pytest.fixture
def world() -> World:
    return World()
