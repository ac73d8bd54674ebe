"""Knows what a fresh sandbox holds."""

import tomllib
from pathlib import Path

from ussdapp.core.inbound import Institution


def institutions() -> list[Institution]:
    """The demo institutions."""
    with Path(__file__).with_name("demo.toml").open("rb") as file:
        return [Institution(*row) for row in tomllib.load(file)["institutions"]]
