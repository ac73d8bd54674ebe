"""How many examples a property gets: all of them by `make storm`, a fifth in an ordinary run."""

import os

THOROUGH = os.environ.get("HYPOTHESIS") == "thorough"


def examples(most: int) -> int:
    return most if THOROUGH else max(20, most // 5)
