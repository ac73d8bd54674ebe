"""Knows every path through a menu: what is reached, what ends, what is known where."""

from collections.abc import Iterator, Mapping

from ussdapp.core.asks import BACK, Shape
from ussdapp.core.menu import Menu
from ussdapp.core.screens import (
    Choice,
    Confirm,
    End,
    External,
    Input,
    Listing,
    Lookup,
    Screen,
    Text,
)

Edge = tuple[str, frozenset[str]]  # the screen it leads to, the names it adds
_NONE: frozenset[str] = frozenset()


def gotos(screen: Screen) -> list[str]:
    """Where a screen may lead, the way back left out."""
    match screen:
        case Choice():
            return [option.goto for option in screen.options]
        case Confirm():
            return [screen.goto, screen.cancel]
        case Input() | Listing():
            return [screen.goto]
        case Lookup() | External():
            return list(screen.goto.values())
        case Text() if screen.goto:
            return [screen.goto]
        case _:
            return []


def brought(screen: Lookup, shape: Shape, outcome: str) -> Mapping[str, int]:
    """The names an outcome brings, with their greatest width."""
    widths = shape.outcomes[outcome]
    if not screen.brings or outcome != "found":
        return widths
    widest = max(widths.values(), default=0)
    return dict.fromkeys(screen.brings, widest)


class Paths:
    """`reached`: screens a path from the first leads to. `ending`: screens with a path to an end.
    `known`: the names that every path to a screen has saved or found."""

    def __init__(self, menu: Menu, asks: Mapping[str, Shape]) -> None:
        self._menu = menu
        self._asks = asks
        self.known = self._known()
        self.reached = frozenset(self.known)
        self.ending = self._ending()

    def _known(self) -> dict[str, frozenset[str]]:
        known: dict[str, frozenset[str]] = {self._menu.first: _NONE}
        waiting = [self._menu.first]
        while waiting:
            here = waiting.pop()
            for goto, adds in self._edges(self._menu.screens[here]):
                # the first screen begins anew: nothing is known there
                arriving = _NONE if goto == self._menu.first else known[here] | adds
                before = known.get(goto)
                after = arriving if before is None else before & arriving
                if after != before:
                    known[goto] = after
                    waiting.append(goto)
        return known

    def _edges(self, screen: Screen) -> Iterator[Edge]:
        match screen:
            case Lookup():
                shape = self._asks[screen.asks]
                for outcome, goto in screen.goto.items():
                    yield goto, frozenset(brought(screen, shape, outcome))
            case External():
                for outcome, goto in screen.goto.items():
                    yield goto, frozenset(screen.brings if outcome == BACK else ())
            case Choice() | Input() | Listing():
                saves = frozenset({screen.saves} - {""})
                yield from ((goto, saves) for goto in gotos(screen))
            case _:
                yield from ((goto, _NONE) for goto in gotos(screen))

    def _ending(self) -> frozenset[str]:
        """Found from the ends backwards, so that a deep menu costs no more than a wide one."""
        before: dict[str, list[str]] = {}
        for name, screen in self._menu.screens.items():
            for goto in gotos(screen):
                before.setdefault(goto, []).append(name)
        waiting = [name for name, screen in self._menu.screens.items() if _ends(screen)]
        ending = set(waiting)
        while waiting:
            for name in before.get(waiting.pop(), ()):
                if name not in ending:
                    ending.add(name)
                    waiting.append(name)
        return frozenset(ending)


def _ends(screen: Screen) -> bool:
    ends = isinstance(screen, End | External)
    return ends or (isinstance(screen, Text) and not screen.goto)


def circle(menu: Menu, start: str) -> list[str]:
    """The screens of a circle that begins and ends at a screen, none where there is no such."""
    parents: dict[str, str] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for goto in gotos(menu.screens[here]):
            if goto == start:
                way = [here]
                while way[-1] != start:
                    way.append(parents[way[-1]])
                return way[::-1]
            if goto not in parents:
                parents[goto] = here
                waiting.append(goto)
    return []
