"""Knows how a menu's cards are laid out as one SVG picture, without a tool.

Each file is a panel. In it a screen stands as many columns to the right as it is steps from where
the file is entered. A way that leads on to the right is a line; one that leads back, or into
another file, is a name with an arrow, so that no line crosses the picture.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from ussdapp.core.drawing import Card, Way

_WIDE: Final = 270  # px of a card
_GAP: Final = 90  # between columns
_ROW: Final = 16
_SIGNS: Final = 34  # of a line of text on a card
_TEXT_LINES: Final = 4
_MOST_COLUMNS: Final = 7  # what is further begins again at the left, so that it can be read
_PAD: Final = 24
_STYLE: Final = """
text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1b2733}
.file{font-weight:700;font-size:15px}.panel{fill:#f4f6f8;stroke:#c9d2da}
.card{fill:#fff;stroke:#8a99a6}.name{font-weight:700}.kind,.away{fill:#5b6b78;font-size:11px}
.row{fill:#12507b}.line{fill:none;stroke:#4a7fa5;stroke-width:1.3}
.choice{fill:#2f7d4f}.input{fill:#b06f00}.list{fill:#8a5fb0}.lookup{fill:#12507b}
.confirm{fill:#c23b3b}.text{fill:#5b6b78}.end{fill:#1b2733}.external{fill:#0b7a75}
"""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A card and where it stands."""

    card: Card
    column: int
    x: int
    y: int
    lines: tuple[str, ...]

    @property
    def rows_y(self) -> int:
        return self.y + 40 + _ROW * len(self.lines)

    @property
    def bottom(self) -> int:
        return self.rows_y + _ROW * len(self.card.ways) + 4


def svg(files: Mapping[str, tuple[Card, ...]], first: str) -> str:
    """The picture; `first` is the full name of the screen a dialogue begins with."""
    entered = {first} | {
        way.goto
        for cards in files.values()
        for card in cards
        for way in card.ways
        if card.name not in {own.name for own in files.get(_file(files, way.goto), ())}
    }
    panels: list[str] = []
    top, right = _PAD, 0
    for file, cards in files.items():
        placed = _placed(cards, entered, top + 40)
        bottom = max(one.bottom for one in placed.values()) + _PAD
        edge = max(one.x for one in placed.values()) + _WIDE + _PAD
        panels.append(_panel(file, placed, (top, edge, bottom)))
        top, right = bottom + _PAD, max(right, edge)
    size = f'width="{right + _PAD}" height="{top}" viewBox="0 0 {right + _PAD} {top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>Menu</title>'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join((f"{head}<style>{_STYLE}</style>{ground}", *panels, "</svg>", ""))


def _file(files: Mapping[str, tuple[Card, ...]], name: str) -> str:
    return next((file for file, cards in files.items() if any(c.name == name for c in cards)), "")


def _placed(cards: tuple[Card, ...], entered: set[str], top: int) -> dict[str, _Placed]:
    columns = _columns(cards, entered)
    below: dict[int, int] = {}
    placed: dict[str, _Placed] = {}
    by_name = {card.name: card for card in cards}
    for name, column in columns.items():
        x = 2 * _PAD + column * (_WIDE + _GAP)
        lines = tuple(_wrapped(by_name[name].says))
        one = _Placed(by_name[name], column, x, below.get(column, top), lines)
        placed[name] = one
        below[column] = one.bottom + 18
    return placed


def _columns(cards: tuple[Card, ...], entered: set[str]) -> dict[str, int]:
    """The column of each card, in the order in which a citizen comes to them."""
    by_name = {card.name: card for card in cards}
    columns: dict[str, int] = {}
    starts = [card.name for card in cards if card.name in entered] or [cards[0].name]
    for start in (*starts, *by_name):
        if start in columns:
            continue
        columns[start] = 0
        waiting = [start]
        while waiting:
            here = waiting.pop(0)
            for way in by_name[here].ways:
                if way.goto in by_name and way.goto not in (*columns, *starts):
                    columns[way.goto] = (columns[here] + 1) % _MOST_COLUMNS
                    waiting.append(way.goto)
    return columns


def _panel(file: str, placed: Mapping[str, _Placed], edges: tuple[int, int, int]) -> str:
    top, right, bottom = edges
    box = f'x="{_PAD}" y="{top}" width="{right - _PAD}" height="{bottom - top}"'
    parts = [
        f'<g><rect class="panel" {box} rx="10"/>',
        f'<text class="file" x="{2 * _PAD}" y="{top + 26}">{escape(file)}</text>',
    ]
    for one in placed.values():
        parts += _lines(one, placed)
    for one in placed.values():
        parts += _card(one, placed)
    return "\n".join((*parts, "</g>"))


def _lines(one: _Placed, placed: Mapping[str, _Placed]) -> Iterator[str]:
    for number, way in enumerate(one.card.ways):
        if _leads_on(one, way, placed):
            x, y = one.x + _WIDE, one.rows_y + _ROW * number
            goal = placed[way.goto]
            end_y, bend = goal.y + 14, (goal.x - x) // 2
            curve = f"M{x} {y}C{x + bend} {y} {goal.x - bend} {end_y} {goal.x} {end_y}"
            yield f'<path class="line" d="{curve}"/><circle cx="{goal.x}" cy="{end_y}" r="3"/>'


def _leads_on(one: _Placed, way: Way, placed: Mapping[str, _Placed]) -> bool:
    # a line over a column in between would run through its cards
    return way.goto in placed and placed[way.goto].column == one.column + 1


def _card(one: _Placed, placed: Mapping[str, _Placed]) -> Iterator[str]:
    card, x = one.card, one.x
    box = f'x="{x}" y="{one.y}" width="{_WIDE}" height="{one.bottom - one.y}"'
    kind = card.kind.partition(" ")[0]
    yield f"<g id={quoteattr(card.name)}><title>{escape(card.says or card.kind)}</title>"
    yield f'<rect class="card" {box} rx="5"/>'
    yield f'<rect class="{kind}" x="{x}" y="{one.y}" width="5" height="{one.bottom - one.y}"/>'
    yield f'<text class="name" x="{x + 14}" y="{one.y + 18}">{escape(_cut(card.short, 26))}</text>'
    told = card.kind if len(card.short) + len(card.kind) < 36 else kind
    kind_at = f'x="{x + _WIDE - 8}" y="{one.y + 18}" text-anchor="end"'
    yield f'<text class="kind" {kind_at}>{escape(told)}</text>'
    for number, line in enumerate(one.lines):
        yield f'<text x="{x + 14}" y="{one.y + 38 + _ROW * number}">{escape(line)}</text>'
    for number, way in enumerate(card.ways):
        yield from _row(one, way, one.rows_y + 4 + _ROW * number, placed)
    yield "</g>"


def _row(one: _Placed, way: Way, y: int, placed: Mapping[str, _Placed]) -> Iterator[str]:
    drawn, goal = _leads_on(one, way, placed), placed.get(way.goto)
    name = "" if drawn else _cut(goal.card.short if goal else way.goto, 26)
    says = _cut(way.says, _SIGNS - 2 - len(name))
    yield f'<text class="row" x="{one.x + 14}" y="{y}">{escape(says)}</text>'
    if not drawn:
        arrow = "\u21a9" if goal and goal.column <= one.column else "\u2192"
        text = f'<text class="away" x="{one.x + _WIDE - 8}" y="{y}" text-anchor="end">'
        link = f"<a href={quoteattr('#' + way.goto)}>"
        yield f"{link}{text}{arrow} {escape(name)}</text></a>"


def _wrapped(text: str) -> Iterator[str]:
    """A text in lines of a card; what does not fit is behind the card's title."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > _SIGNS:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    kept = [_cut(line, _SIGNS) for line in lines if line]
    yield from kept[:_TEXT_LINES]
    if len(kept) > _TEXT_LINES:
        yield "..."


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
