"""Knows how a menu is drawn for people: each file a group, each screen a card with its ways out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ussdapp.core.branches import branch_of
from ussdapp.core.menu import Menu
from ussdapp.core.screens import (
    NO,
    YES,
    Choice,
    Confirm,
    End,
    External,
    Input,
    Listing,
    Lookup,
    Screen,
    Spoken,
    Text,
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a screen: what takes it, and the full name of the screen it leads to."""

    says: str
    goto: str


@dataclass(frozen=True, slots=True)
class Card:
    """One screen as drawn: full name, kind, what it says, and its ways out."""

    name: str
    kind: str
    says: str
    ways: tuple[Way, ...]

    @property
    def short(self) -> str:
        """Its name within its file."""
        return self.name.rpartition(".")[2]


def file_of(name: str) -> str:
    """The file of a screen: `gepg/bili.toml` of `gepg.bili.mwanzo`."""
    return name.rpartition(".")[0].replace(".", "/") + ".toml"


def cards(menu: Menu, language: str, branch: str = "") -> dict[str, tuple[Card, ...]]:
    """The menu's cards by file, `main.toml` first, of one branch where one is named."""
    files: dict[str, tuple[Card, ...]] = {}
    for name, screen in menu.screens.items():
        file = file_of(name)
        if branch in ("", branch_of(file)):
            files[file] = (*files.get(file, ()), _card(menu, name, screen, language))
    return dict(sorted(files.items(), key=lambda pair: ("/" in pair[0], pair[0] != "main.toml")))


def mermaid(files: Mapping[str, tuple[Card, ...]]) -> str:
    """The cards as Mermaid's flowchart text."""
    numbers = {card.name: f"s{number}" for number, card in enumerate(_all(files))}
    lines = ["flowchart LR"]
    for group, (file, group_cards) in enumerate(files.items()):
        lines.append(f'  subgraph f{group}["{_told(file)}"]')
        lines += [f"    {numbers[card.name]}{_node(card)}" for card in group_cards]
        lines.append("  end")
    for card in _all(files):
        for way in card.ways:
            if way.goto not in numbers:
                numbers[way.goto] = f"s{len(numbers)}"
                lines.append(f'  {numbers[way.goto]}["{_told(way.goto)}"]:::away')
            arrow = f'-->|"{_told(way.says)}"|' if way.says else "-->"
            lines.append(f"  {numbers[card.name]} {arrow} {numbers[way.goto]}")
    lines.append("  classDef away stroke-dasharray: 4 3")
    return "\n".join(lines) + "\n"


def _all(files: Mapping[str, tuple[Card, ...]]) -> Iterator[Card]:
    return (card for group in files.values() for card in group)


def _card(menu: Menu, name: str, screen: Screen, language: str) -> Card:
    says = "" if isinstance(screen, Lookup | External) else screen.says[language]
    return Card(name, _kind(screen), says, tuple(_ways(menu, screen, language)))


def _kind(screen: Screen) -> str:
    match screen:
        case Lookup():
            return " ".join(filter(None, ("lookup", screen.asks, screen.of)))
        case External():
            return f"external {screen.of}"
        case Listing():
            return f"list {screen.of}"
        case Input():
            return f"input {screen.takes}".rstrip()
        case Choice() | Confirm() | Text() | End():
            return type(screen).__name__.lower()


def _ways(menu: Menu, screen: Screen, language: str) -> Iterator[Way]:
    match screen:
        case Choice():
            for option in screen.options:
                yield Way(f"{option.key} {option.says[language]}", option.goto)
        case Confirm():
            words = menu.words
            yield Way(f"{YES} {_said(screen.yes, words.yes, language)}", screen.goto)
            yield Way(f"{NO} {_said(screen.no, words.no, language)}", screen.cancel)
        case Input() | Listing():
            yield Way(f"{{{screen.saves}}}", screen.goto)
        case Lookup() | External():
            for outcome, goto in screen.goto.items():
                yield Way(outcome, goto)
        case Text() if screen.goto:
            yield Way(_said(screen.next, menu.words.next, language), screen.goto)


def _said(own: Spoken | None, shared: Spoken, language: str) -> str:
    return (own or shared)[language]


_SHAPES = {"choice": ("[", "]"), "end": ("([", "])"), "input": ("[/", "/]"), "lookup": ("{{", "}}")}


def _node(card: Card) -> str:
    left, right = _SHAPES.get(card.kind.partition(" ")[0], ("[", "]"))
    first = card.says.partition("\n")[0]
    told = _told(first if len(first) <= 40 else f"{first[:37]}...") or f"<i>{_told(card.kind)}</i>"
    return f'{left}"<b>{_told(card.short)}</b><br/>{told}"{right}'


def _told(text: str) -> str:
    """A text as Mermaid takes it between quotes: what it would read as its own is spelt out."""
    odd = (c if c.isalnum() or c in " .,:?!'-_/()*+=" else f"#{ord(c)};" for c in text)
    return "".join(odd)
