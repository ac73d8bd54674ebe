"""Knows how one message id is spelt twice: hexadecimal here, decimal there, zeros and case apart.

Operators answer a submit in one base and write the receipt in the other (operators' quirks 1-5).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple, Self

_DECIMAL: Final = re.compile(r"[0-9]{1,128}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{1,128}")
LOCKED_AFTER: Final = 3  # unambiguous matches one after the other


class Base(Enum):
    """In which base an account's receipts spell the ids of its answers; the value is stored."""

    SAME = "same"
    HEX_TO_DECIMAL = "hex_to_decimal"  # the answer's is hexadecimal, the receipt's decimal
    DECIMAL_TO_HEX = "decimal_to_hex"


def folded(spelt: str) -> str:
    """The id without what operators change in passing: case and leading zeros."""
    return spelt.lower().lstrip("0") or "0"


def sought(receipt_id: str) -> tuple[str, str, str]:
    """The folded ids of answers that a receipt's id may mean, in the order of Base; "" where it
    cannot."""
    as_hex = f"{int(receipt_id):x}" if _DECIMAL.fullmatch(receipt_id) else ""
    as_decimal = str(int(receipt_id, 16)) if _HEX.fullmatch(receipt_id) else ""
    return folded(receipt_id), as_hex, as_decimal


def sought_in(base: Base, receipt_ids: Sequence[str]) -> list[str]:
    """The folded id of the answer that each may mean in that base; "" where none."""
    if base is Base.SAME:
        return [one.lower().lstrip("0") or "0" for one in receipt_ids]
    place = 1 if base is Base.HEX_TO_DECIMAL else 2
    return [sought(one)[place] for one in receipt_ids]


class Found(NamedTuple):
    """A submit that a receipt may mean: where it is, the Base it was found by, whether its id is
    spelt the same to the letter, and whether the MSISDN is the same (None: the receipt has none).
    """

    notification_id: int
    attempt: int
    part: int
    base: Base
    as_spelt: bool
    same_msisdn: bool | None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What an account's receipts have taught: the base, how many matches in a row said so, and
    how many in a row said another since it was locked."""

    base: Base = Base.SAME
    agreeing: int = 0
    other: Base | None = None
    contrary: int = 0

    @property
    def locked(self) -> bool:
        """Whether only this base is believed."""
        return self.agreeing >= LOCKED_AFTER

    def after(self, base: Base) -> Self:
        """What one more unambiguous match teaches."""
        if base is self.base:
            if self.locked and not self.contrary:
                return self  # as after nearly every receipt
            return replace(self, agreeing=min(self.agreeing + 1, LOCKED_AFTER), contrary=0)
        if not self.locked:
            return replace(self, base=base, agreeing=1, other=None, contrary=0)
        contrary = self.contrary + 1 if base is self.other else 1
        if contrary < LOCKED_AFTER:
            return replace(self, other=base, contrary=contrary)
        return replace(self, base=base, agreeing=LOCKED_AFTER, other=None, contrary=0)


def meant(found: Sequence[Found], learnt: Learnt) -> tuple[Found | None, Learnt]:
    """The submit a receipt means, of those it may mean (the newest first), and what that teaches.
    To that very MSISDN in the base that is believed wins, then spelt the same; else it is the one
    only submit, to that very MSISDN."""
    believed = [one for one in found if one.same_msisdn and one.base is learnt.base]
    if learnt.locked and believed:
        return believed[0], learnt.after(learnt.base)
    ours = [one for one in found if one.same_msisdn is not False]
    spelt = next((one for one in ours if one.as_spelt), None)
    others = [one for one in ours if one.same_msisdn and one is not spelt]
    if spelt is not None:
        teaches = spelt.same_msisdn and all(one.base is Base.SAME for one in others)
        return spelt, learnt.after(Base.SAME) if teaches else learnt
    places = {(one.notification_id, one.attempt, one.part) for one in others}
    if len(places) != 1:
        return None, learnt
    (one, *more) = others
    if more:
        return one, learnt  # the same submit in two bases teaches nothing
    after = learnt.after(one.base)
    return (one if not learnt.locked or one.base is after.base else None), after
