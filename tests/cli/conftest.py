from pathlib import Path

import pytest

from tests.fakes.home import written_home


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Path:
    return written_home(tmp_path, database_url)
