"""A complaint as a citizen keys it."""

import re

WORDS = "Barua pepe ya ofisi haifunguki tangu jana"
FILE = ("9", "2", "1", "1", "EGA", WORDS, "1", "1")


def reference_in(text: str) -> str:
    found = re.search(r"\d{4}-\d{4}-\d{4}", text)
    assert found, text
    return found.group()
