import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import System


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One gateway for all stories; each story has its own MSISDN."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home: Path = tmp_path_factory.mktemp("home")
    running = System(home, port)
    running.start()
    yield running
    running.stop()
