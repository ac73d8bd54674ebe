"""Knows how the sandbox's back offices misbehave when they are told to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

EVERY: Final = "*"
# bodies that no client should choke on
GARBAGE: Final[Mapping[str, bytes]] = {
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "list": b"[1, 2, 3]",
    "cut": b'{"success": true, "detail_01": "Haija',
    "types": b'{"success": {"no": []}, "status": [], "header_type": 9, "text": {}}',
    "deep": b"[" * 20_000,
    "nan": b'{"success": true, "status": true, "detail_01": NaN}',
    "binary": bytes(range(256)),
    "empty": b"",
}


@dataclass(frozen=True, slots=True)
class Knobs:
    """`delay` is in seconds after what was asked is taken, before the answer; `drip` between
    octets of it; `huge` the octets of one that is too long; `silent` hangs up without any."""

    delay: float = 0.0
    status: int = 200
    garbage: str = ""
    redirect: str = ""
    huge: int = 0
    drip: float = 0.0
    silent: bool = False

    def __post_init__(self) -> None:
        if self.garbage and self.garbage not in GARBAGE:
            raise ValueError(f"garbage is one of {', '.join(GARBAGE)}")


def turned(knobs: Mapping[str, Knobs], told: Any) -> dict[str, Knobs]:
    """The knobs after `{"office": name, ...}`; without an office it is for all of them, and what
    was turned before is forgotten. Raises ValueError, TypeError."""
    if not isinstance(told, dict):
        raise TypeError("the body is a JSON object of known knobs")
    office = told.pop("office", EVERY)
    return {**(knobs if office != EVERY else {}), office: Knobs(**told)}


def read_knobs(text: str) -> dict[str, Knobs]:
    """The knobs of the command line."""
    return turned({}, json.loads(text or "{}"))
