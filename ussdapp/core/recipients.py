"""Knows how rows of recipients are read: which column is which, and what is wrong with a row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import category

from ussdapp.core.bulk import Chunk, Rejection, Row, Unworded
from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.core.parts import MOST_PARTS, Encoding, TooLong, only_part, split
from ussdapp.core.phishing import IN_A_ROW, ValueCheck
from ussdapp.core.placeholders import Worded, folded

TO: Final = "to"
# what the column is called where it is not called `to`, folded
_MSISDN_NAMES: Final = (
    "msisdn", "phone", "phonenumber", "mobile", "mobilenumber", "recipient", "simu", "nambayasimu",
    "namba", "number",
)  # fmt: skip
_MOST_SHAPES: Final = 1000  # of recipients that are remembered
_LINE_ENDS: Final = frozenset("\n\r")
Came = Row | Unworded | list[Rejection]  # of a row


class HeaderRefused(ValueError):
    """The header row lacks what the text needs; the sentence names it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the MSISDN stands in a row, and what fills each name of the text; `width` cells are
    named by the header."""

    to: int
    fields: tuple[int, ...]
    width: int


def columns(header: Sequence[str], names: Sequence[str]) -> Columns:
    """The columns of a header row, however they are spelt; raises HeaderRefused."""
    places: dict[str, int] = {}
    for place, name in enumerate(map(folded, header)):
        if name and places.setdefault(name, place) != place and name in {TO, *map(folded, names)}:
            raise HeaderRefused("twice", "Two columns have the same name: rename one of them.")
    found = [places[name] for name in (TO, *_MSISDN_NAMES) if name in places]
    if not found:
        raise HeaderRefused("no_to", "No column is named `to`: name the column of MSISDNs so.")
    lacking = [name for name in names if folded(name) not in places]
    if lacking:
        listed = ", ".join(f"(({name}))" for name in lacking[:10])
        raise HeaderRefused("no_column", f"No column fills {listed}.")
    return Columns(found[0], tuple(places[folded(name)] for name in names), len(header))


@dataclass(frozen=True, slots=True)
class Texts:
    """What the rows of a bulk are written with: `en` for those who chose English, None where all
    get the same; `spell` is done to what GSM-7 lacks."""

    text: Worded
    en: Worded | None = None
    spell: Callable[[str], str] | None = None


class RowCheck:
    """Checks the rows of one bulk: `read` reads an MSISDN or raises NotAnMsisdn, `channel` tells
    by which channel it is reached. With a text in English, a row that can be sent is Unworded."""

    def __init__(
        self, texts: Texts, read: Callable[[str], Msisdn], channel: Callable[[Msisdn], str]
    ) -> None:
        self._text = text = texts.text
        self._en = texts.en and texts.en.aligned(text.names)
        self._spell = texts.spell
        self.names = text.names
        self._read = read
        self._channel = channel
        self._suspect = ValueCheck(text)
        self._suspect_en = self._en and ValueCheck(self._en)
        self._keys: dict[tuple[str, ...], list[str | None]] = {}  # as spelt, of each shape seen

    def recipient(self, number: int, given: object) -> Came:
        """The same for a recipient as JSON gives it: an object of texts and whole numbers."""
        if not isinstance(given, dict):
            return [Rejection(number, "row", "type", "A recipient is an object.")]
        to, *values = [
            "" if key is None else _spelt(given[key]) for key in self._spelling(tuple(given))
        ]
        return self.values(number, to, values)

    def _spelling(self, keys: tuple[str, ...]) -> list[str | None]:
        """Under which of the keys the MSISDN and each name of the text are."""
        if keys not in self._keys:
            if len(self._keys) > _MOST_SHAPES:
                self._keys.clear()
            places = {folded(key): key for key in keys}
            to = next((places[name] for name in (TO, *_MSISDN_NAMES) if name in places), None)
            self._keys[keys] = [to, *(places.get(folded(name)) for name in self._text.names)]
        return self._keys[keys]

    def row(self, number: int, cells: Sequence[str], at: Columns) -> Came:
        """The row as it will be sent, or everything that is wrong with it."""
        if len(cells) > at.width and any(map(str.strip, cells[at.width :])):
            return [Rejection(number, "row", "columns", "It has more cells than the header.")]
        lacking = at.width - len(cells)
        whole = [*cells, *[""] * lacking] if lacking > 0 else cells
        return self.values(number, whole[at.to], [whole[place] for place in at.fields])

    def values(self, number: int, to: str, values: Sequence[str]) -> Came:
        """The same for an MSISDN and a value for each name of the text, in their order."""
        values = [value.strip() for value in values]
        try:
            msisdn = self._read(to)
            if all(values):
                if self._en:
                    return Unworded(number, msisdn, values)
                return self._filled(number, msisdn, values, self._text, self._suspect)
            wrong = []
        except NotAnMsisdn:
            wrong = [Rejection(number, TO, *_not_an_msisdn(to.strip()))]
        return wrong + [
            Rejection(number, name, "missing", "There is nothing to put in its place.")
            for name, value in zip(self._text.names, values, strict=True)
            if not value
        ]

    def worded(self, row: Unworded, *, english: bool) -> Row | list[Rejection]:
        """The row in the language its citizen chose."""
        if english and self._en and self._suspect_en:
            return self._filled(*row, self._en, self._suspect_en)
        return self._filled(*row, self._text, self._suspect)

    def _filled(
        self,
        number: int,
        msisdn: Msisdn,
        values: Sequence[str],
        text: Worded,
        suspect: ValueCheck,
    ) -> Row | list[Rejection]:
        written = text.filled(values)
        if found := suspect(values, written):
            return [Rejection(number, "text", found.code, IN_A_ROW[found.code])]
        return self._written(number, msisdn, written)

    def _written(self, number: int, msisdn: Msisdn, text: str) -> Row | list[Rejection]:
        if not text.isprintable() and any(map(_unwritten, text)):
            told = "It would hold characters that cannot be sent."
            return [Rejection(number, "text", "characters", told)]
        if only_part(text) is not None:
            return Row(number, msisdn, text, _GSM7, 1, self._channel(msisdn))
        if self._spell:
            text = self._spell(text)
        try:
            parts = split(text)
        except TooLong:
            told = f"It would take more than {MOST_PARTS} parts."
            return [Rejection(number, "text", "too_long", told)]
        channel = self._channel(msisdn)
        return Row(number, msisdn, text, parts.encoding.value, len(parts), channel)


_GSM7: Final = Encoding.GSM7.value


def _not_an_msisdn(spelt: str) -> tuple[str, str]:
    if not spelt:
        return "missing", "There is no MSISDN."
    if "e+" in spelt.casefold():
        return "rounded", "A spreadsheet has rounded the MSISDN: format its column as text."
    return "msisdn", "It is no MSISDN of Tanzania: 255 and nine digits."


def _spelt(given: object) -> str:
    if isinstance(given, str):
        return given
    return str(given) if isinstance(given, int | float) and not isinstance(given, bool) else ""


def _unwritten(char: str) -> bool:
    """Whether it is a control character or a lone surrogate."""
    return char not in _LINE_ENDS and category(char) in {"Cc", "Cs"}


def chunk(start: int, checked: Iterable[tuple[int, Row | list[Rejection] | None]]) -> Chunk:
    """The checked rows after `start` as one; None is an empty one."""
    rows: list[Row] = []
    rejections: list[Rejection] = []
    end, blank = start, 0
    for number, came in checked:
        end = number
        if isinstance(came, Row):
            rows.append(came)
        elif came is None:
            blank += 1
        else:
            rejections += came
    return Chunk(start, end, blank, rows, rejections)
