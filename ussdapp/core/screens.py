"""Knows the kinds of screens, each as its author wrote it. `menus/README.md` says how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ussdapp.core.asks import ASKS

BACK: Final = "0"
HOME: Final = "00"
MORE: Final = "99"
YES: Final = "1"
NO: Final = "2"
NEXT: Final = "1"
RESERVED: Final = frozenset({BACK, HOME, MORE})

Spoken = Mapping[str, str]  # one sentence by language


@dataclass(frozen=True, slots=True)
class Option:
    """One numbered line; `value` is what its screen saves, `language` what the dialogue takes.
    After a `private` one nothing is kept to be resumed."""

    key: str
    says: Spoken
    goto: str
    value: str = ""
    language: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Asks for one of its options."""

    says: Spoken
    options: tuple[Option, ...]
    saves: str = ""
    by_key: Mapping[str, Option] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {option.key: option for option in self.options})

    def label(self, value: str, language: str) -> str | None:
        """How the option that saves this value is called."""
        for option in self.options:
            if option.value == value:
                return option.says[language]
        return None


@dataclass(frozen=True, slots=True)
class Confirm:
    """Shows what was answered; `1` goes on, `2` goes to `cancel`. Without words of its own for
    these it has those of the menu."""

    says: Spoken
    goto: str
    cancel: str
    yes: Spoken | None = None
    no: Spoken | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Asks for words or digits. `takes` is a named kind (`core.kinds`); without one, `accepts` is
    a regular expression and lengths are in characters."""

    says: Spoken
    wrong: Spoken
    saves: str
    goto: str
    takes: str = ""
    accepts: str = ""
    least: int = 1
    most: int = 182
    past: bool = False
    future: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Asks for an item of a list, by number on a page, by key, or by the beginning of a name;
    with `where`, only for items under the answer of that name."""

    says: Spoken
    nothing: Spoken
    of: str
    saves: str
    goto: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Shows nothing: it asks, and goes where the outcome says. `of` is an institution's office,
    `sends` what it is told, `brings` our names of its details, `title` what a late answer is
    called."""

    asks: str
    goto: Mapping[str, str]
    of: str = ""
    sends: tuple[str, ...] = ()
    brings: Mapping[str, str] = field(default_factory=dict)
    title: Spoken | None = None

    @property
    def effect(self) -> bool:
        """Whether its ask changes something: then it is made once, and only when confirmed."""
        shape = ASKS.get(self.asks)
        return shape is not None and shape.effect


@dataclass(frozen=True, slots=True)
class Text:
    """Says its text, on as many pages as it takes, and goes on after the last."""

    says: Spoken
    goto: str
    next: Spoken | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Says its text, on as many pages as it takes, and ends the dialogue."""

    says: Spoken


@dataclass(frozen=True, slots=True)
class External:
    """Hands each key to an institution's application. `goto` has `back`, `late` and
    `unavailable`; `brings` names what it may hand back."""

    of: str
    goto: Mapping[str, str]
    brings: tuple[str, ...] = ()


Screen = Choice | Confirm | Input | Listing | Lookup | Text | End | External


def institution_of(name: str) -> str | None:
    """The branch that a screen is in, None for the gateway's own."""
    folder, _, rest = name.partition(".")
    return folder if "." in rest else None
