"""Knows which words an input screen takes, and which patterns are too slow to ask."""

import re
from collections.abc import Iterable
from functools import lru_cache
from re import Pattern
from typing import Any, Final

from ussdapp.core.kinds import is_ahead, is_past, taken
from ussdapp.core.screens import Input

LONGEST: Final = 182  # characters a pattern is tried on
MOST_WAYS: Final = 40_000  # in which a pattern may be tried on them
_Parsed = Iterable[tuple[Any, Any]]


def accepted(screen: Input, keyed: str, today: str) -> str | None:
    """What that screen keeps of what was keyed, None when it does not take it."""
    if screen.takes:
        value = taken(screen.takes, keyed)
        if value is not None and screen.past and not is_past(value, today):
            return None
        if value is not None and screen.future and not is_ahead(value, today):
            return None
        return value
    if not screen.least <= len(keyed) <= screen.most:
        return None
    if screen.accepts and not _pattern(screen.accepts).fullmatch(keyed):
        return None
    return keyed


@lru_cache(maxsize=1024)
def _pattern(accepts: str) -> Pattern[str]:
    # ASCII: \d is what a keypad's digits are
    return re.compile(accepts, re.ASCII | re.DOTALL)


def pattern_fault(accepts: str) -> str | None:
    """Why a regular expression may not be served, None when it may."""
    try:
        re.compile(accepts, re.ASCII | re.DOTALL)
        # the parser behind re.compile, so that what is weighed is what will run
        parsed: _Parsed = re._parser.parse(accepts)  # type: ignore[attr-defined]
    except (re.error, OverflowError, RecursionError) as trouble:
        return f"accepts is no regular expression: {trouble}"
    try:
        ways = _ways(parsed)
    except LookupError as odd:
        return f"accepts has {odd.args[0]}, which no input needs"
    if ways > MOST_WAYS:
        return "accepts may take too long: use fewer repeats, and none within another"
    return None


def _ways(parsed: _Parsed) -> int:
    """In how many ways a backtracking matcher may try the pattern, at most, capped."""
    ways = 1
    for operation, argument in parsed:
        ways = min(ways * _ways_of(str(operation), argument), MOST_WAYS + 1)
    return ways


def _ways_of(operation: str, argument: Any) -> int:
    match operation:
        case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY" | "AT":
            return 1
        case "SUBPATTERN":
            return _ways(argument[-1])
        case "BRANCH":
            return sum(_ways(branch) for branch in argument[1])
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _repeated(*argument)
        case _:
            raise LookupError(operation.lower().replace("_", " "))


def _repeated(least: int, most: int, parsed: _Parsed) -> int:
    least, most = min(int(least), LONGEST), min(int(most), LONGEST)
    within = _ways(parsed)
    tried = within**most if within > 1 and most < 20 else (MOST_WAYS + 1 if within > 1 else 1)
    return min(tried * (most - least + 1), MOST_WAYS + 1)
