"""Knows what a handset has received: the simulated SMSC's ledger, read for one MSISDN at a time."""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ussdapp.core.msisdn import Msisdn

MOST_KEPT: Final = 60  # parts of one handset
MOST_HANDSETS: Final = 64  # that are followed at a time


@dataclass(frozen=True, slots=True, repr=False)
class Received:
    """One text as the handset shows it. `parts` of `total` have come."""

    at: str
    source: str
    text: str
    parts: int
    total: int


@dataclass(slots=True, repr=False)
class _Handset:
    """How far the ledger was read for one MSISDN, and the lines that were found."""

    read_to: int = 0
    lines: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))


class Inbox:
    """Follows a ledger that grows; a look reads only what was added since the last."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._handsets: OrderedDict[Msisdn, _Handset] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, msisdn: Msisdn) -> list[Received]:
        """What the handset has received, oldest first; nothing while there is no ledger."""
        with self._lock:
            handset = self._handsets.setdefault(msisdn, _Handset())
            self._handsets.move_to_end(msisdn)
            if len(self._handsets) > MOST_HANDSETS:
                self._handsets.popitem(last=False)
            self._follow(handset, msisdn)
            return joined(tuple(handset.lines))

    def _follow(self, handset: _Handset, msisdn: Msisdn) -> None:
        if not self._ledger.is_file():
            return
        if self._ledger.stat().st_size < handset.read_to:  # begun anew
            handset.read_to = 0
            handset.lines.clear()
        with self._ledger.open("rb") as file:
            file.seek(handset.read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # still being written
                handset.read_to += len(line)
                handset.lines.extend(_lines_to(line, msisdn))


def _lines_to(line: bytes, msisdn: Msisdn) -> Iterator[Mapping[str, Any]]:
    if msisdn.digits.encode() not in line:  # most lines are for others: spare the parsing
        return
    try:
        read = json.loads(line)
    except ValueError:
        return
    if str(read.get("destination", "")).removeprefix("+") == msisdn.digits:
        yield read


def joined(lines: Sequence[Mapping[str, Any]]) -> list[Received]:
    """Texts whole again: parts of one reference, source and total are one text."""
    groups: dict[object, list[Mapping[str, Any]]] = {}
    for place, line in enumerate(lines):
        udh = line.get("udh")
        key = (line.get("source"), udh["ref"], udh["total"]) if udh else place
        groups.setdefault(key, []).append(line)
    return [text for group in groups.values() for text in _texts(group)]


def _texts(group: Sequence[Mapping[str, Any]]) -> Iterator[Received]:
    """The texts of lines with one reference: a part that is there again begins the next text."""
    parts: dict[int, Mapping[str, Any]] = {}
    for line in group:
        number = line["udh"]["part"] if line.get("udh") else 1
        if number in parts:
            yield _whole(parts)
            parts = {}
        parts[number] = line
    yield _whole(parts)


def _whole(parts: Mapping[int, Mapping[str, Any]]) -> Received:
    first = next(iter(parts.values()))
    return Received(
        at=str(first.get("at", "")),
        source=str(first.get("source", "")),
        text="".join(str(parts[number].get("text", "")) for number in sorted(parts)),
        parts=len(parts),
        total=first["udh"]["total"] if first.get("udh") else 1,
    )
