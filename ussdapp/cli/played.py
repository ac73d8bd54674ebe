"""Knows a dialogue in a terminal: what is keyed, what is shown, and the transcript of both. The
back office is canned: each ask has its first outcome, or the one that was wished for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.asks import BACK, RELAY, SHOWS
from ussdapp.core.dialogue import begin, resume, step
from ussdapp.core.menu import Menu
from ussdapp.core.reference import Reference
from ussdapp.core.screens import External, Lookup
from ussdapp.core.session import Ask, Found, Turn

MOST_ASKS: Final = 6  # in a row, as in a dialogue that is served
_SAMPLES: Final = {
    "kumbukumbu": str(Reference.numbered(48213000001)),
    "taasisi": "EGA",
    "hali": "Imepokelewa",
    "jibu": "Asante, tumepokea.",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """The language the dialogue begins in, and outcomes by ask, office or screen."""

    language: str
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What was keyed, None for the dial, and the turn it caused."""

    keyed: str | None
    turn: Turn


def play(
    menu: Menu, wishes: Wishes, keys: Iterable[str], show: Callable[[str], None]
) -> list[Step]:
    """Plays the keys, one a line, until the dialogue or the lines end; shows each screen."""
    steps = [Step(None, _settled(menu, wishes, begin(menu, wishes.language)))]
    show(_screen(steps[-1].turn))
    for line in keys if not steps[-1].turn.ends else ():
        keyed = line.rstrip("\r\n")
        turn = _settled(menu, wishes, step(menu, steps[-1].turn.session, keyed))
        steps.append(Step(keyed, turn))
        show(f"\n{_screen(turn)}")
        if turn.ends:
            break
    return steps


def transcript(msisdn: str, steps: Iterable[Step]) -> str:
    """The dialogue in the form that `tests/transcripts` holds."""
    blocks: list[str] = []
    for one in steps:
        blocks.append(f"{msisdn} dials *152*00#" if one.keyed is None else f"> {one.keyed}")
        blocks.append(_screen(one.turn))
    return "\n\n".join(blocks) + "\n"


def _screen(turn: Turn) -> str:
    head = f"{'END' if turn.ends else 'CON'} {gsm7.septets(turn.text)}"
    lines = (f"| {line}".rstrip() for line in turn.text.split("\n"))
    return "\n".join((head, *lines))


def _settled(menu: Menu, wishes: Wishes, turn: Turn) -> Turn:
    """The turn after every ask on the way was answered."""
    for _ in range(MOST_ASKS):
        if turn.ask is None:
            return turn
        turn = resume(menu, turn.session, _found(menu, wishes, turn.ask))
    return turn


def _found(menu: Menu, wishes: Wishes, ask: Ask) -> Found:
    screen = menu.screens[ask.screen]
    if not isinstance(screen, Lookup | External):
        return Found("")
    names = (ask.screen, screen.of, ask.name)
    wished = next((wishes.outcomes[name] for name in names if name in wishes.outcomes), "")
    if ask.name == RELAY and ask.keyed is None and not wished:
        return Found(SHOWS, {"text": f"({screen.of})", "options": "1 ..."})
    outcome = wished if wished in screen.goto else _first(screen)
    return Found(outcome, _values(screen))


def _first(screen: Lookup | External) -> str:
    return BACK if isinstance(screen, External) else next(iter(screen.goto))


def _values(screen: Lookup | External) -> dict[str, str]:
    details = {f"detail_{number:02d}": f"detail {number}" for number in range(1, 10)}
    own = {name: _SAMPLES.get(name, name) for name in screen.brings}
    return {**details, **_SAMPLES, **own}
