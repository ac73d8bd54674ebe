"""What asking institutions needs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from ussdapp.core.back_office import Asker, Claimed, Ended, HandedIn, LookedUp, Question, Relayed
from ussdapp.core.notification import Notification


class OfficeUnavailable(Exception):
    """The institution was not asked, or it refused: nothing was taken."""


class OfficeGarbled(OfficeUnavailable):
    """It was asked, and what came back cannot be read: a summary may have been taken."""


class OfficeLate(Exception):
    """Its deadline passed: the answer may still come, and a summary may have been taken."""


class NobodysKeyword(LookupError):
    """The keyword is no institution's any more."""


class BackOffices(Protocol):
    """Asks institutions, each by the name its office has in the settings, such as `gepg.bill`.

    All raise OfficeLate, OfficeUnavailable and, of its kind, OfficeGarbled.
    """

    def look_up(self, office: str, data: str, asker: Asker) -> LookedUp:
        """What the office knows of one value; may be asked any number of times."""
        ...

    def hand_in(self, office: str, answers: Mapping[str, str], asker: Asker) -> HandedIn:
        """Posts what was answered; after OfficeLate or OfficeGarbled it may have been taken."""
        ...

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        """Gives an external application the latest key, None for the first hit."""
        ...


class Handovers(Protocol):
    """Hands citizens' texts to the institution whose keyword begins them. Raises Unavailable."""

    def institution(self, keyword: str) -> str | None:
        """Whose an allotted keyword, in capitals, is."""
        ...

    def hand_over(
        self, keyword: str, institution: str | None, told: Mapping[str, str], asker: Asker
    ) -> str | None:
        """That institution's answer to a text, None where it wants none sent. Raises
        NobodysKeyword, also where the keyword is another's by now, OfficeLate, OfficeUnavailable,
        OfficeGarbled; after OfficeLate and OfficeGarbled it may have been taken."""
        ...


class Questions(Protocol):
    """Keeps what institutions did not answer in time until it is answered. Raises Unavailable."""

    def keep(self, question: Question, at: datetime) -> bool:
        """Commits it, a look-up due now, a summary after a pause; the same effect again changes
        nothing. Tells whether it is new."""
        ...

    def claim(self, busy: Collection[str], now: datetime) -> Claimed | None:
        """Commits one due question of an office that is not busy as being asked; it is due again
        by itself when nothing is heard of it."""
        ...

    def postpone(self, claimed: Claimed, due: datetime, posts: int) -> None:
        """It is asked again then; `posts` is how often a summary may have been taken by now."""
        ...

    def end(self, claimed: Claimed, how: Ended, told: Notification | None, now: datetime) -> bool:
        """Commits its end and the notification together, once, and forgets what was asked; tells
        whether this was the once."""
        ...
