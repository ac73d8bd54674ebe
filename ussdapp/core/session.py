"""Knows what a dialogue is made of: where it stands, and what of it must be kept to replay it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

MOST_WRONG: Final = 3  # keys in a row that one screen does not take
MOST_TRIES: Final = 10  # wrong references of one MSISDN in one day, by whatever way
OVER: Final = "over"  # what an application that ended has in the place of its first option
SAID: Final = "said"  # the outcome of an ask that ends the dialogue with a text of its own
_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """A screen as it was shown: its page, and of a list the letters it was narrowed to."""

    screen: str
    page: int = 0
    letters: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """Where a dialogue stands.

    `trail` holds the places that `0` goes back through, `wrong` counts the keys in a row that were
    not taken, `effects` those had so far, `day` is when it began (YYYYMMDD, EAT). While an
    application speaks, `told` is its text and its options, and `hands` the key it is to be given.
    `private` ones are not kept to be resumed.
    """

    screen: str
    language: str
    answers: Mapping[str, str] = field(default_factory=dict)
    trail: tuple[Place, ...] = ()
    page: int = 0
    letters: str = ""
    wrong: int = 0
    day: str = ""
    effects: int = 0
    private: bool = False
    told: tuple[str, ...] = ()
    hands: str | None = None

    @property
    def place(self) -> Place:
        """What is in front of the citizen now."""
        return Place(self.screen, self.page, self.letters)

    @property
    def heard_out(self) -> bool:
        """Whether an application, or an ask with a text of its own, has ended the dialogue."""
        return self.told[1:] == (OVER,)

    @property
    def over(self) -> bool:
        """Whether the citizen was shown the way out."""
        return self.wrong >= MOST_WRONG

    def at(self, screen: str, answers: Mapping[str, str] = _NOTHING) -> Self:
        """The session one screen further on, with the answers it gained."""
        gained = {**self.answers, **answers} if answers else self.answers
        trail = (*self.trail, Place(self.screen, self.page, self.letters))
        # built anew, for replace() takes five times as long and every replayed key comes here
        return type(self)(
            screen, self.language, gained, trail, 0, "", 0, self.day, self.effects, self.private
        )

    def facing(self, place: Place) -> Self:
        """The session at that place, this one behind it."""
        return self._moved(place, (*self.trail, self.place))

    def back(self) -> Self:
        """The session at the place behind this one; answers given since are kept."""
        return self._moved(self.trail[-1], self.trail[:-1]) if self.trail else self

    def refused(self) -> Self:
        """The session after one more key that its screen does not take."""
        return replace(self, wrong=self.wrong + 1)

    def _moved(self, place: Place, trail: tuple[Place, ...]) -> Self:
        told = self.told if place.screen == self.screen else ()
        return type(self)(
            place.screen,
            self.language,
            self.answers,
            trail,
            place.page,
            place.letters,
            0,
            self.day,
            self.effects,
            self.private,
            told,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """What an ask came back with: the outcome a menu names, and values a screen may show."""

    outcome: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """All that is kept of a dialogue: replayed over its menu it gives the session again.

    `version` is the menu's, `language` and `day` those it began in, `keys` what was keyed in
    order, `found` what each ask on the way came back with, in order. A dialogue that was resumed,
    or that took up a branch anew, has keys of before as its `past` and what was keyed for it as
    its `prefix`; `origin` is the dialogue whose effects it goes on with. While it is `offered`, the
    citizen has not said yet whether to go on from that past. A `sorry` one began anew because what
    was kept of it is lost. `marks` are those of the latest requests (core.marked), and `marked_at`
    is when the last of them came, in seconds since 1970.
    """

    version: str
    language: str
    keys: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    day: str = ""
    past: tuple[str, ...] = ()
    prefix: str | None = None
    origin: str = ""
    offered: bool = False
    sorry: bool = False
    marks: tuple[str, ...] = ()
    marked_at: float = 0.0

    @property
    def seen(self) -> str | None:
        """The cumulative text an aggregator would have sent so far; None before the first key."""
        parts = self.keys if self.prefix is None else (self.prefix, *self.keys)
        return "*".join(parts) if parts else None

    @property
    def start(self) -> Self:
        """The record before its first key."""
        if not (self.keys or self.found or self.marks):
            return self
        return replace(self, keys=(), found=(), marks=(), marked_at=0.0)

    def keyed(self, keys: tuple[str, ...]) -> Self:
        """The record with these keys."""
        # replace() takes three times as long, and every step comes here twice
        return type(self)(
            self.version,
            self.language,
            keys,
            self.found,
            self.day,
            self.past,
            self.prefix,
            self.origin,
            self.offered,
            self.sorry,
            self.marks,
            self.marked_at,
        )

    @property
    def resumed(self) -> bool:
        """Whether the citizen was asked to go on from an earlier dialogue."""
        return self.prefix is not None and not self.sorry and bool(self.origin or not self.past)


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """What a dialogue wants to know or have done before it can go on. `keyed` is what an
    application is to be given, None when it is told of the dialogue for the first time."""

    name: str
    screen: str
    answers: Mapping[str, str]
    keyed: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """What a key caused: the session it leads to, and the text to show or the ask to make. `step`
    is what Shown tells of it."""

    session: Session
    text: str = ""
    ends: bool = False
    ask: Ask | None = None
    step: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """What a handset is given: the text after `CON ` or `END `, and whether it is the last.
    `step` names the screen and its menu's version (`gepg.bili.mwanzo@1f0c`), for those who watch
    and never for a citizen: two that show the same are equal."""

    text: str
    ends: bool
    step: str = field(default="", compare=False)
