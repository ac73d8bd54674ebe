"""Knows the kinds of answers that citizens type: what is taken, what is kept, how it is shown.

GePG control numbers are `99` and ten digits, LUKU meters 11 digits, water accounts a letter and
8-12 digits; NIDA numbers are 20 digits, 8-5-5-2, never shown whole (`reference/protocols.md` 5).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

_SPACING: Final = re.compile(r"[\s\-]+")
_IN_DATES: Final = re.compile(r"[\s\-/.]+")
_IN_AMOUNTS: Final = re.compile(r"[\s,\-]+")
_DATE: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})")
_EXAMPLE: Final = re.compile(r"[A-Z0-9][A-Z0-9 ,./-]*[0-9]")


@dataclass(frozen=True, slots=True)
class Kind:
    """`spacing` is taken off, what is left has that shape; `widest` in septets as shown."""

    spacing: re.Pattern[str]
    shape: re.Pattern[str]
    widest: int
    shown: Callable[[str], str] = str


def _shown_reference(value: str) -> str:
    return f"{value[:4]}-{value[4:8]}-{value[8:]}"


def _shown_amount(value: str) -> str:
    return f"{int(value):,}"


def _shown_date(value: str) -> str:
    return f"{value[:2]}/{value[2:4]}/{value[4:]}"


def _shown_nida(value: str) -> str:
    return f"{value[:4]}****-*****-*****-{value[-2:]}"


def _kind(shape: str, widest: int, shown: Callable[[str], str] = str) -> Kind:
    return Kind(_SPACING, re.compile(shape), widest, shown)


KINDS: Final[Mapping[str, Kind]] = {
    "reference": _kind(r"[0-9]{12}", 14, _shown_reference),
    "amount": Kind(_IN_AMOUNTS, re.compile(r"[0-9]{1,12}"), 15, _shown_amount),
    "date": Kind(_IN_DATES, _DATE, 10, _shown_date),
    "nida": _kind(r"[0-9]{20}", 23, _shown_nida),
    "control_number": _kind(r"99[0-9]{10}", 12),
    "meter": _kind(r"[0-9]{11}", 11),
    "account": _kind(r"[A-Z][0-9]{8,12}", 13),
}


def taken(name: str, typed: str) -> str | None:
    """What is kept of a value of that kind, None when it is not one."""
    kind = KINDS[name]
    value = kind.spacing.sub("", typed).upper()
    if not kind.shape.fullmatch(value):
        return None
    if name == "amount":
        return str(int(value)) if int(value) else None
    if name == "date":
        return value if _day(value) else None
    return value


def is_past(value: str, today: str) -> bool:
    """Whether a date DDMMYYYY is not after today, which is YYYYMMDD; any is, while today is not
    known."""
    return not today or value[4:] + value[2:4] + value[:2] <= today


def is_ahead(value: str, today: str) -> bool:
    """Whether a date DDMMYYYY is today or after it; any is, while today is not known."""
    return not today or value[4:] + value[2:4] + value[:2] >= today


def examples(name: str, sentence: str) -> Iterator[str]:
    """What a sentence gives as an example of that kind."""
    for run in _EXAMPLE.findall(sentence):
        words = run.split(" ")
        tails = (" ".join(words[start:]) for start in range(len(words)))
        yield from (tail for tail in tails if taken(name, tail) is not None)


def _day(value: str) -> date | None:
    match = _DATE.fullmatch(value)
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None
