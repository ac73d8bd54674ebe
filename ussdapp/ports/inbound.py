"""What receiving citizens' texts needs, and who wants no more of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ussdapp.core.inbound import Mo
from ussdapp.core.mo_parts import MoPart
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import Learnt


@dataclass(frozen=True, slots=True)
class KeptMo:
    """A text that is kept: its effect key, and whether all it causes was done before."""

    effect: str
    settled: bool


class Mos(Protocol):
    """Keeps every text that came in, before anything is done about it."""

    def keep(self, mo: Mo, at: datetime, within: timedelta = timedelta(seconds=60)) -> KeptMo:
        """Commits it; a repeat gets the first one's effect key, and tells whether that one was
        settled. Where the operator gives no id, the same content again `within` that time is a
        repeat."""
        ...

    def settle(
        self, effect: str, status: str, institution: str | None = None, keyword: str = ""
    ) -> None:
        """Notes what became of it: answered, over_cap, no_subscriber or handed_over; and whom it
        concerned, by which keyword, for their webhooks."""
        ...


class MoParts(Protocol):
    """Keeps the parts of long texts until their text is complete or given up."""

    def keep(self, parts: Sequence[MoPart], at: datetime) -> list[Mo]:
        """Commits them, a repeated one once; returns the texts that are complete and not ended."""
        ...

    def overdue(self, at: datetime) -> list[tuple[Mo, int]]:
        """Texts not ended ten minutes after their first part: what came of each, joined, and how
        many parts are missing."""
        ...

    def end(self, mo: Mo, at: datetime) -> None:
        """It was received: what comes of it from now on is a repeat."""
        ...


class OptOuts(Protocol):
    """Remembers who wants no more texts; an institution of None means all of them."""

    def opt_out(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None: ...

    def opt_in(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None: ...

    def whose(self, sender_id: str) -> str | None:
        """The institution whose texts that sender ID means, None for those of all."""
        ...


class Networks(Protocol):
    """Remembers by which channel's network an MSISDN was heard of."""

    def inbound(self, msisdn: Msisdn, channel: str, at: datetime) -> None:
        """An inbound came from that network."""
        ...
