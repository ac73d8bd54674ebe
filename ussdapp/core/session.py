"""Knows what a dialogue is made of: where it stands, and what of it must be kept to replay it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Place:
    """A screen as it was shown: of a list also the page, and the letters it was narrowed to."""

    screen: str
    page: int = 0
    letters: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """Where a dialogue stands. `trail` holds the places that `0` goes back through."""

    screen: str
    language: str
    answers: Mapping[str, str] = field(default_factory=dict)
    trail: tuple[Place, ...] = ()
    page: int = 0
    letters: str = ""

    @property
    def place(self) -> Place:
        """What is in front of the citizen now."""
        return Place(self.screen, self.page, self.letters)

    def at(self, screen: str, answers: Mapping[str, str] | None = None) -> Self:
        """The session one screen further on, with the answers it gained."""
        gained = {**self.answers, **answers} if answers else self.answers
        trail = (*self.trail, self.place)
        # built anew, for replace() takes five times as long and every replayed key comes here
        return type(self)(screen, self.language, gained, trail)

    def facing(self, place: Place) -> Self:
        """The session at that place, this one behind it."""
        trail = (*self.trail, self.place)
        return self._moved(place, trail)

    def back(self) -> Self:
        """The session at the place behind this one; answers given since are kept."""
        return self._moved(self.trail[-1], self.trail[:-1]) if self.trail else self

    def _moved(self, place: Place, trail: tuple[Place, ...]) -> Self:
        return replace(
            self, screen=place.screen, page=place.page, letters=place.letters, trail=trail
        )


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """What an ask came back with: the outcome a menu names, and values a screen may show."""

    outcome: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """All that is kept of a dialogue: replayed over its menu it gives the session again.

    `version` is the menu's, `language` the one it began in, `keys` what was keyed in order,
    `found` what each ask on the way came back with, in order.
    """

    version: str
    language: str
    keys: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()

    @property
    def seen(self) -> str:
        """The cumulative text an aggregator would have sent so far."""
        return "*".join(self.keys)


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """What a dialogue wants to know or have done before it can go on."""

    name: str
    screen: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """What a key caused: the session it leads to, and the text to show or the ask to make."""

    session: Session
    text: str = ""
    ends: bool = False
    ask: Ask | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """What a handset is given: the text after `CON ` or `END `, and whether it is the last."""

    text: str
    ends: bool
