"""Knows what a fresh sandbox holds."""

import tomllib
from pathlib import Path
from typing import Final

from ussdapp.core.inbound import Institution

TEMPLATE: Final = "ombi-limepokelewa"
TEMPLATE_TEXTS: Final = (
    "Ndugu ((jina)), ombi lako namba ((namba)) limepokelewa. Utajibiwa kabla ya ((tarehe)). "
    "Kufuatilia, piga *152*00#. Asante.",
    "Dear ((jina)), we have received your request number ((namba)). You will have an answer "
    "before ((tarehe)). To follow it up, dial *152*00#. Thank you.",
)


def institutions() -> list[Institution]:
    """Six hundred public institutions, so that lists are as long as they really are."""
    with Path(__file__).with_name("directory.toml").open("rb") as file:
        return [Institution(*row) for row in tomllib.load(file)["institutions"]]
