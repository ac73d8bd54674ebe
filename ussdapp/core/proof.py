"""Knows what must be true of a menu before a citizen sees it. Each fault is one sentence that
names file, screen and language."""

from collections.abc import Collection, Iterator, Mapping

from ussdapp.core.asks import Shape
from ussdapp.core.menu import Menu
from ussdapp.core.paths import Paths, circle, gotos
from ussdapp.core.proof_shapes import shape_faults
from ussdapp.core.proof_words import sentences_of, strange, where, wide
from ussdapp.core.screen_text import gaps
from ussdapp.core.screens import Choice, Confirm, Listing, Lookup, Screen, institution_of

__all__ = ["faults", "where"]


def faults(
    menu: Menu, asks: Mapping[str, Shape], offices: Collection[str] | None = None
) -> list[str]:
    """Every fault of the menu, in its own order; an empty list is the proof. `offices` are those
    that may be asked, None for any."""
    leading, shapes = list(_leading(menu)), list(shape_faults(menu, asks, offices))
    words = list(strange(menu))
    # paths are only worth asking about when every goto exists, widths when every ask does; what is
    # not GSM-7 has no width in septets
    lost = [] if leading or shapes else list(_lost(menu, asks))
    broad = [] if shapes or words else list(wide(menu, asks))
    return [*leading, *shapes, *lost, *words, *broad]


def _leading(menu: Menu) -> Iterator[str]:
    if not isinstance(menu.screens.get(menu.first), Choice):
        yield f"main.toml [menu]: first is {menu.first!r}, which is no choice"
    for name in sorted(menu.returns - menu.screens.keys()):
        yield f"main.toml [menu]: returns names {name!r}, which is no screen"
    for name, screen in menu.screens.items():
        for goto in gotos(screen):
            if goto not in menu.screens:
                yield f"{where(name)}: goto {goto!r} leads to no screen"
            elif not _may_go(menu, name, goto):
                yield f"{where(name)}: goto {goto!r} leaves the branch for no return of [menu]"


def _may_go(menu: Menu, name: str, goto: str) -> bool:
    """Whether a screen may lead there: out of an institution's branch only to a return."""
    here = institution_of(name)
    return here is None or here == institution_of(goto) or goto in menu.returns


def _lost(menu: Menu, asks: Mapping[str, Shape]) -> Iterator[str]:
    paths = Paths(menu, asks)
    for name, screen in menu.screens.items():
        if name not in paths.reached:
            yield f"{where(name)}: no path leads here"
        elif name not in paths.ending:
            yield f"{where(name)}: no path from here comes to an end{_round(menu, name)}"
        else:
            known = paths.known[name]
            yield from (f"{where(name)}: {fault}" for fault in _unsaid(menu, screen, known, asks))
    yield from _unconfirmed(menu, paths)
    yield from _asking_for_ever(menu)


def _round(menu: Menu, name: str) -> str:
    way = circle(menu, name)
    return f": it goes round {', '.join(way)}" if way else ""


def _unconfirmed(menu: Menu, paths: Paths) -> Iterator[str]:
    """An effect is had right behind a confirm, or behind look-ups that are."""
    for name, screen in menu.screens.items():
        if name not in paths.reached or _consents(screen):
            continue
        for goto in gotos(screen):
            if _effect_behind(menu, goto):
                yield f"{where(name)}: {goto!r} has an effect, which only a confirm may lead to"
    for name, screen in menu.screens.items():
        if isinstance(screen, Confirm) and _effect_behind(menu, screen.cancel):
            yield f"{where(name)}: cancel leads to {screen.cancel!r}, which has an effect"


def _consents(screen: Screen) -> bool:
    if isinstance(screen, Lookup):
        # of a look-up only where it leads matters: what leads to it is asked by itself
        return not screen.effect
    return isinstance(screen, Confirm)


def _effect_behind(menu: Menu, name: str, seen: frozenset[str] = frozenset()) -> bool:
    screen = menu.screens[name]
    if not isinstance(screen, Lookup) or name in seen:
        return False
    if screen.effect:
        return True
    return any(_effect_behind(menu, goto, seen | {name}) for goto in gotos(screen))


def _asking_for_ever(menu: Menu) -> Iterator[str]:
    for name, screen in menu.screens.items():
        if isinstance(screen, Lookup) and _asks_again(menu, name, name, frozenset()):
            yield f"{where(name)}: asks in a circle without showing a screen"


def _asks_again(menu: Menu, start: str, here: str, seen: frozenset[str]) -> bool:
    for goto in gotos(menu.screens[here]):
        if goto == start:
            return True
        asked = isinstance(menu.screens[goto], Lookup) and goto not in seen
        if asked and _asks_again(menu, start, goto, seen | {goto}):
            return True
    return False


def _unsaid(
    menu: Menu, screen: Screen, known: frozenset[str], asks: Mapping[str, Shape]
) -> Iterator[str]:
    if isinstance(screen, Lookup):
        needed = (*sorted(asks[screen.asks].needs), *screen.sends)
        for name in needed:
            if name not in known:
                yield f"{screen.asks!r} needs {{{name}}}, which not every path here saves"
        yield from _misvalued(menu, asks[screen.asks])
    if isinstance(screen, Listing):
        yield from _filtered(menu, screen, known)
    for says in sentences_of(screen):
        for language, sentence in says.items():
            for name in sorted(gaps(sentence) - known - menu.values.keys()):
                yield f"{language} shows {{{name}}}, which not every path here saves"


def _filtered(menu: Menu, screen: Listing, known: frozenset[str]) -> Iterator[str]:
    if screen.where and screen.where not in known:
        yield f"where needs {{{screen.where}}}, which not every path here saves"
    for saver in menu.savers.get(screen.where, ()):
        if not isinstance(saver, Choice | Listing):
            yield f"where: {{{screen.where}}} is typed somewhere, and not chosen"
    if any(gaps(sentence) for says in sentences_of(screen) for sentence in says.values()):
        yield "a list shows no answers"


def _misvalued(menu: Menu, shape: Shape) -> Iterator[str]:
    for name, values in shape.needs.items():
        for screen in menu.savers.get(name, ()):
            if not values:
                continue
            given = (
                {option.value for option in screen.options} if isinstance(screen, Choice) else {"*"}
            )
            for value in sorted(given - values):
                yield f"{{{name}}} may be saved as {value!r}, which nobody understands"
