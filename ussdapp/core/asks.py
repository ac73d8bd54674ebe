"""Knows what a menu may ask for: the answers each ask needs, its outcomes and what they bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ussdapp.core.case import Kind, Visibility

UNAVAILABLE: Final = "unavailable"  # the outcome of every ask that could not be made
LATE: Final = "late"  # the outcome of an ask whose answer comes by SMS
AGAIN: Final = "again"  # of an ask that was not made: the screen before it asks for a key again
BACK: Final = "back"  # of an application that hands the dialogue back
SHOWS: Final = "shows"  # of one that wants another key
ENDS: Final = "ends"  # of one that ends the dialogue
LOOK_UP: Final = "office.look_up"
HAND_IN: Final = "office.hand_in"
RELAY: Final = "office.relay"  # what a screen of kind `external` asks
WIDE: Final = 160  # septets of a value that is cut to fit
DETAILS: Final = tuple(f"detail_{number:02d}" for number in range(1, 10))
RELAYED: Final = frozenset({BACK, LATE, UNAVAILABLE})  # the outcomes that leave an application


@dataclass(frozen=True, slots=True)
class Shape:
    """`needs`: saved answers, each with the values it may have, empty for any. `outcomes`: the
    values each brings with their greatest width in septets. An `effect` is done once, and only
    when its screen was seen. An `office` ask names an institution's office and what it sends."""

    needs: Mapping[str, frozenset[str]]
    outcomes: Mapping[str, Mapping[str, int]]
    effect: bool = False
    office: bool = False


_ANY: Final[frozenset[str]] = frozenset()
_DONE: Final[Mapping[str, Mapping[str, int]]] = {"done": {}, UNAVAILABLE: {}}
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
            "known": {"kumbukumbu": 14},
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
            "too_many": {},
            UNAVAILABLE: {},
        },
    ),
    "notices.stop": Shape(needs={"taasisi": _ANY}, outcomes=_DONE, effect=True),
    "notices.stop_all": Shape(needs={}, outcomes=_DONE, effect=True),
    "notices.start": Shape(needs={"taasisi": _ANY}, outcomes=_DONE, effect=True),
    "notices.start_all": Shape(needs={}, outcomes=_DONE, effect=True),
    LOOK_UP: Shape(
        needs={},
        outcomes={
            "found": dict.fromkeys(DETAILS, WIDE),
            "missing": {},
            LATE: {},
            UNAVAILABLE: {},
        },
        office=True,
    ),
    HAND_IN: Shape(
        needs={},
        outcomes={
            "taken": {"jibu": WIDE},
            "refused": {"jibu": WIDE},
            LATE: {},
            UNAVAILABLE: {},
        },
        effect=True,
        office=True,
    ),
}
