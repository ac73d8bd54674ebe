"""Knows what a Tanzanian subscriber's number is, and keeps it off every screen and log."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

_SHAPE: Final = re.compile("255[67][0-9]{8}")  # handsets' numbers begin 6 or 7 (TCRA plan)
_SHAPES: Final = re.compile("255[67][0-9]{8}(?: 255[67][0-9]{8})*")
_new, _set = object.__new__, object.__setattr__  # past the proof of one


class NotAnMsisdn(ValueError):
    """What was given is no subscriber's number; the text names no digits of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Msisdn:
    """255 and nine digits; `str()` is masked, `.digits` is for the wire and the store alone."""

    digits: str

    def __post_init__(self) -> None:
        if not _SHAPE.fullmatch(self.digits):
            raise NotAnMsisdn("an MSISDN is 255 and nine digits, the first of them 6 or 7")

    @classmethod
    def all(cls, digits: Sequence[str]) -> list[Self]:
        """One for each, proven together at a third of the cost; raises NotAnMsisdn."""
        together = " ".join(digits)
        if len(together) != 13 * len(digits) - 1 or not _SHAPES.fullmatch(together):
            return [cls(one) for one in digits]
        made = [_new(cls) for _ in digits]
        for msisdn, spelt in zip(made, digits, strict=True):
            _set(msisdn, "digits", spelt)
        return made

    def __str__(self) -> str:
        return f"{self.digits[:5]}****{self.digits[-3:]}"

    __repr__ = __str__
