from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.institutions.office import Institutions, institutions


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Institutions]:
    with institutions(tmp_path) as made:
        yield made
