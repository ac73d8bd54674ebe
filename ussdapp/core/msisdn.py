"""Knows what a Tanzanian subscriber's number is, and keeps it off every screen and log."""

from dataclasses import dataclass
from typing import Final

_COUNTRY: Final = "255"
_MOBILE: Final = frozenset("67")  # national numbers of handsets begin 6 or 7 (TCRA plan)
_LENGTH: Final = 12


class NotAnMsisdn(ValueError):
    """What was given is no subscriber's number; the text names no digits of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Msisdn:
    """255 and nine digits; `str()` is masked, `.digits` is for the wire and the store alone."""

    digits: str

    def __post_init__(self) -> None:
        ascii_digits = self.digits.isascii() and self.digits.isdigit()
        shaped = len(self.digits) == _LENGTH and self.digits.startswith(_COUNTRY)
        if not (ascii_digits and shaped and self.digits[3] in _MOBILE):
            raise NotAnMsisdn("an MSISDN is 255 and nine digits, the first of them 6 or 7")

    def __str__(self) -> str:
        return f"{self.digits[:5]}****{self.digits[-3:]}"

    __repr__ = __str__
