"""Knows what a menu may ask for: the answers each ask needs, its outcomes and what they bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ussdapp.core.case import Kind, Visibility

UNAVAILABLE: Final = "unavailable"  # the outcome of every ask that could not be made
WIDE: Final = 160  # septets of a value that is cut to fit


@dataclass(frozen=True, slots=True)
class Shape:
    """`needs`: saved answers, each with the values it may have, empty for any. `outcomes`: the
    values each brings with their greatest width in septets. An `effect` is done once, and only
    when its screen was seen."""

    needs: Mapping[str, frozenset[str]]
    outcomes: Mapping[str, Mapping[str, int]]
    effect: bool = False


_ANY: Final[frozenset[str]] = frozenset()
_CASE: Final = {"taasisi": 20, "kumbukumbu": 14, "hali": 20}
ASKS: Final[Mapping[str, Shape]] = {
    "case.file": Shape(
        needs={
            "aina": frozenset(kind.value for kind in Kind),
            "taasisi": _ANY,
            "maelezo": _ANY,
            "utambulisho": frozenset(visibility.value for visibility in Visibility),
        },
        outcomes={
            "filed": {"kumbukumbu": 14},
            "filed_anonymous": {"kumbukumbu": 14},
            UNAVAILABLE: {},
        },
        effect=True,
    ),
    "case.status": Shape(
        needs={"kumbukumbu": _ANY},
        outcomes={
            "found": _CASE,
            "answered": {**_CASE, "jibu": WIDE},
            "missing": {},
            UNAVAILABLE: {},
        },
    ),
}
