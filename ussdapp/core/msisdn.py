"""Knows what a Tanzanian subscriber's number is, and keeps it off every screen and log."""

import re
from dataclasses import dataclass
from typing import Final

_SHAPE: Final = re.compile("255[67][0-9]{8}")  # handsets' numbers begin 6 or 7 (TCRA plan)


class NotAnMsisdn(ValueError):
    """What was given is no subscriber's number; the text names no digits of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Msisdn:
    """255 and nine digits; `str()` is masked, `.digits` is for the wire and the store alone."""

    digits: str

    def __post_init__(self) -> None:
        if not _SHAPE.fullmatch(self.digits):
            raise NotAnMsisdn("an MSISDN is 255 and nine digits, the first of them 6 or 7")

    def __str__(self) -> str:
        return f"{self.digits[:5]}****{self.digits[-3:]}"

    __repr__ = __str__
