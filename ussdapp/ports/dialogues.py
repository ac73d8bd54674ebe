"""What a dialogue needs: its record, its citizen's language, and what was offered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.resume import Draft
from ussdapp.core.session import Record


class Sessions(Protocol):
    """Remembers dialogues, each until its time to live is over, and for ten minutes what a
    citizen may be offered when dialling again. Raises Unavailable."""

    def kept(self, key: str) -> Record | None:
        """What is remembered under that key."""
        ...

    def begin(
        self, key: str, record: Record, citizen: Msisdn
    ) -> tuple[Record | None, Record | None]:
        """One round trip: what is kept under that key, or else the citizen's draft; where there
        is neither, keeps the record."""
        ...

    def exchange(self, key: str, before: Record | None, after: "After") -> Record | None:
        """One round trip: keeps `after` and does to the draft what it says, and returns None,
        when what is kept equals `before` or `after`, or nothing is kept; otherwise changes nothing
        and returns what is kept."""
        ...

    def claim(self, key: str) -> bool:
        """The right, given once in a minute, to tell an application what the key names."""
        ...

    def first_effect(self, key: str, effect: str) -> str:
        """The effect noted under that key first, within the last ten minutes; this one where there
        was none."""
        ...

    def tried(self, citizen: Msisdn, day: str, wrong: str = "") -> int:
        """How many different wrong references the citizen tried on that day (YYYYMMDD), this one
        among them if one is given."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class After:
    """What is to be kept of a dialogue, and what becomes of its citizen's draft."""

    record: Record
    citizen: Msisdn
    draft: Draft = Draft.LEFT


class Tries(Protocol):
    """Counts the wrong references that citizens try. Raises Unavailable."""

    def tried(self, citizen: Msisdn, day: str, wrong: str = "") -> int:
        """As Sessions.tried, of which it is a part: a citizen has one count for every way."""
        ...


class Offers(Protocol):
    """Knows durably in which dialogues a citizen was offered to go on. Raises Unavailable."""

    def make(self, key: str, at: datetime) -> None: ...

    def made(self, key: str) -> bool: ...


class Hints(Protocol):
    """How recent dialogues began (core.hints), for one process: a forgotten one costs a round
    trip, a wrong one is found out. It holds no key that a citizen typed."""

    def get(self, key: str) -> Record | None:
        """How it began, None when that is not remembered."""
        ...

    def put(self, key: str, record: Record) -> None:
        """Remembers how the dialogue of that record began."""
        ...


class Dialogues(Protocol):
    """Knows durably that a dialogue began, and each citizen's language. Raises Unavailable."""

    def begin(self, key: str, channel: str, msisdn: Msisdn, at: datetime) -> str:
        """Records the beginning, a later one replacing one older than ten minutes; returns the
        citizen's language, `sw` unless another was remembered."""
        ...

    def began_at(self, key: str) -> datetime | None:
        """When that dialogue began, or None when no beginning was recorded."""
        ...

    def language(self, msisdn: Msisdn, otherwise: str = "sw") -> str:
        """The remembered one, else that."""
        ...

    def remember_language(self, msisdn: Msisdn, language: str, at: datetime) -> None: ...


class Languages(Protocol):
    """Knows the language each citizen chose. Raises Unavailable."""

    def speaking(self, language: str, msisdns: Collection[Msisdn]) -> frozenset[Msisdn]:
        """Those of them who chose that language, by one query."""
        ...
