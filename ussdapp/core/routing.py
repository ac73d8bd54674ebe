"""Knows routes: which channel an MSISDN is submitted through."""

from collections.abc import Sequence
from dataclasses import dataclass

from ussdapp.core.msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix and the channel it hints at; the empty prefix takes every MSISDN."""

    prefix: str
    channel: str


@dataclass(frozen=True, slots=True)
class Routes:
    """The longest prefix wins; numbers are portable, so it is a hint and no more."""

    rules: tuple[Route, ...]

    @classmethod
    def ordered(cls, rules: Sequence[Route]) -> "Routes":
        """Longest prefix first; between equals the earlier one wins."""
        return cls(tuple(sorted(rules, key=lambda route: -len(route.prefix))))

    def channel(self, msisdn: Msisdn) -> str:
        """The channel's name; raises LookupError when no route takes the MSISDN."""
        for route in self.rules:
            if msisdn.digits.startswith(route.prefix):
                return route.channel
        raise LookupError("no channel has a route for this MSISDN: give one channel a route")
