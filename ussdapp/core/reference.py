"""Knows reference numbers: 12 digits, the last a Damm check digit, shown 4-4-4."""

import re
from dataclasses import dataclass
from typing import Final, Self

# The totally anti-symmetric quasigroup of order 10 in H. M. Damm's thesis (2004), p. 111.
_DAMM: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_SPACING: Final = re.compile(r"[\s\-]+")
_SHAPE: Final = re.compile(r"[0-9]{12}")
RANGE: Final = 10**11  # how many reference numbers there are
DRAWS: Final = 5  # of a reference number for one case, when others have it already


class NotAReference(ValueError):
    """What was typed is no reference number: wrong length, or its check digit does not fit."""


def check_digit(digits: str) -> str:
    """The Damm digit that makes `digits` plus it valid."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)


@dataclass(frozen=True, slots=True)
class Reference:
    """The digits a citizen keeps; `str()` is how they are shown."""

    digits: str

    def __post_init__(self) -> None:
        if not _SHAPE.fullmatch(self.digits) or check_digit(self.digits) != "0":
            raise NotAReference("a reference number has 12 digits and a check digit that fits")

    @classmethod
    def numbered(cls, number: int) -> Self:
        """The reference with that number, 0 <= number < RANGE."""
        stem = f"{number % RANGE:011d}"
        return cls(stem + check_digit(stem))

    @classmethod
    def parse(cls, typed: str) -> Self:
        """Reads what a citizen typed, with or without spaces and dashes; raises NotAReference."""
        return cls(_SPACING.sub("", typed))

    def __str__(self) -> str:
        return f"{self.digits[:4]}-{self.digits[4:8]}-{self.digits[8:]}"
