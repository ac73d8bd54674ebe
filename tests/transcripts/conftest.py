"""`pytest tests/transcripts --golden` writes the transcripts anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the transcripts anew; ends red")
