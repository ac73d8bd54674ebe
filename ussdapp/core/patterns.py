"""Knows which words an input screen takes."""

import re
from functools import lru_cache
from re import Pattern

from ussdapp.core.menu import Input


def takes(screen: Input, keyed: str) -> bool:
    """Whether length and shape are right."""
    fits = screen.least <= len(keyed) <= screen.most
    return fits and bool(_pattern(screen.accepts).fullmatch(keyed))


@lru_cache(maxsize=256)
def _pattern(accepts: str) -> Pattern[str]:
    # ASCII: \d is what a keypad's digits are; an empty pattern takes every text
    return re.compile(accepts or ".*", re.ASCII | re.DOTALL)
