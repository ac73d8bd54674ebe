"""Knows the parts of a long text from a handset, and how they become one text again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final

from ussdapp.core.msisdn import Msisdn

GIVEN_UP_AFTER: Final = timedelta(minutes=10)  # what came by then is received (faults.md row 79)
Decode = Callable[[bytes, int], str]  # octets and their data_coding


@dataclass(frozen=True, slots=True, repr=False)
class MoPart:
    """One part, without its header. `reference` is the same in all `total` parts of a text, and
    says by its spelling in which header it stood; `number` counts from 1."""

    channel: str
    sender: str
    msisdn: Msisdn | None
    short_code: str
    reference: str
    total: int
    number: int
    octets: bytes
    data_coding: int

    @property
    def group(self) -> str:
        """The same in all parts of a text, and until the handset uses its reference again."""
        place = (self.channel, self.sender, self.short_code, self.reference, str(self.total))
        return "\0".join(place)


def joined(parts: Mapping[int, tuple[bytes, int]], decode: Decode) -> str:
    """The text of parts (octets, data_coding) by number, decoded after joining, for a character
    may be cut in two; those of another data_coding are decoded apart."""
    in_order = [parts[number] for number in sorted(parts)]
    runs = groupby(in_order, key=lambda part: part[1])
    return "".join(decode(_octets(run), coding) for coding, run in runs)


def _octets(run: Iterable[tuple[bytes, int]]) -> bytes:
    return b"".join(octets for octets, _ in run)
