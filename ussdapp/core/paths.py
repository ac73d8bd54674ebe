"""Knows every path through a menu: what is reached, what ends, what is known where."""

from collections.abc import Iterator, Mapping

from ussdapp.core.asks import Shape
from ussdapp.core.menu import Choice, End, Input, Listing, Lookup, Menu, Screen

Edge = tuple[str, frozenset[str]]  # the screen it leads to, the names it adds


def gotos(screen: Screen) -> list[str]:
    """Where a screen may lead, the way back left out."""
    match screen:
        case Choice():
            return [option.goto for option in screen.options]
        case Input() | Listing():
            return [screen.goto]
        case Lookup():
            return list(screen.goto.values())
        case End():
            return []


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
        known: dict[str, frozenset[str]] = {self._menu.first: frozenset()}
        waiting = [self._menu.first]
        while waiting:
            here = waiting.pop()
            for goto, adds in self._edges(self._menu.screens[here]):
                # the first screen begins anew: nothing is known there
                arriving = frozenset() if goto == self._menu.first else known[here] | adds
                before = known.get(goto)
                after = arriving if before is None else before & arriving
                if after != before:
                    known[goto] = after
                    waiting.append(goto)
        return known

    def _edges(self, screen: Screen) -> Iterator[Edge]:
        if isinstance(screen, Lookup):
            outcomes = self._asks[screen.asks].outcomes
            for outcome, goto in screen.goto.items():
                yield goto, frozenset(outcomes[outcome])
        elif not isinstance(screen, End):
            saves = frozenset({screen.saves} - {""})
            yield from ((goto, saves) for goto in gotos(screen))

    def _ending(self) -> frozenset[str]:
        screens = self._menu.screens
        ending = {name for name, screen in screens.items() if isinstance(screen, End)}
        while True:
            more = {
                name
                for name, screen in screens.items()
                if name not in ending and ending.intersection(gotos(screen))
            }
            if not more:
                return frozenset(ending)
            ending |= more
