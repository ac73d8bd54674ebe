"""The callbacks of e-Mrejesho dialogues, from the dial to the confirm screen: nothing is filed."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final
from urllib.parse import urlencode

WORDS: Final = "Barua pepe ya ofisi haifunguki tangu jana asubuhi"
GROUP: Final = 256  # dialogues side by side, so that none keys ahead of its answer


def texts_of(*keys: str) -> tuple[str, ...]:
    """What an aggregator sends for the dial and each key."""
    return tuple("*".join(keys[:taken]) for taken in range(len(keys) + 1))


TEXTS: Final = texts_of("9", "2", "1", "1", "EGA", WORDS, "1")
_citizens = count()


def dialogues(number: int) -> list[int]:
    """That many citizens who never dialled before."""
    return [next(_citizens) for _ in range(number)]


def bodies(
    citizens: Sequence[int], texts: Sequence[str] = TEXTS, group: int = GROUP
) -> Iterator[str]:
    """A form for each of these texts of each citizen, as Africa's Talking posts it."""
    for start in range(0, len(citizens), group):
        for text in texts:
            yield from (form(citizen, text) for citizen in citizens[start : start + group])


def form(citizen: int, text: str) -> str:
    """One callback."""
    fields = {
        "sessionId": f"ATUid_{citizen:032x}",
        "phoneNumber": f"+2557{citizen:08d}",
        "networkCode": "64004",
        "serviceCode": "*152*00#",
        "text": text,
    }
    return urlencode(fields)
