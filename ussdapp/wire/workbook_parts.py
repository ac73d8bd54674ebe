"""Knows the parts of a workbook (ECMA-376, SpreadsheetML): its shared strings, its styles as far
as they show dates, and the cells of a sheet. Each is fed by an XML parser, and has caps."""

from array import array
from datetime import datetime, timedelta
from typing import Final

from ussdapp.wire.tables import MOST_CELL, MOST_COLUMNS, Unreadable

MOST_SHEET: Final = 400 * 1024 * 1024  # octets, inflated
MOST_STRINGS: Final = 128 * 1024 * 1024
MOST_SMALL: Final = 4 * 1024 * 1024  # of any other member that is read
_MOST_STRING: Final = 32_767  # characters, as Excel itself allows
_MOST_KEPT: Final = 4_000_000  # shared strings
_MOST_ROWS: Final = 1_048_576
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no zone
# built-in formats of dates and times (ECMA-376 18.8.30)
_DATES: Final = frozenset({*range(14, 23), *range(45, 48)})
BROKEN: Final = "The workbook is damaged or is no .xlsx file."


class Part:
    """What reads one member; it raises Unreadable."""

    most = MOST_SMALL

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


class Links(Part):
    """Collects the attributes of elements of one name."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self.found: list[dict[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if _bare(name) == self._wanted:
            self.found.append({_bare(key): value for key, value in attributes.items()})


class Strings(Part):
    """The shared strings, as one run of octets: a million of them are no million objects."""

    most = MOST_STRINGS

    def __init__(self) -> None:
        self._octets = bytearray()
        self._ends = array("I")
        self._long = 0
        self._said: list[str] | None = None
        self._shown = True

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends):
            raise Unreadable(BROKEN)
        begin = self._ends[number - 1] if number else 0
        return self._octets[begin : self._ends[number]].decode("utf-8", "replace")

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        bare = _bare(name)
        if bare == "si":
            self._said, self._long = [], 0
        elif bare == "rPh":  # how it is read aloud
            self._shown = False

    def end(self, name: str) -> None:
        bare = _bare(name)
        if bare == "si" and self._said is not None:
            self._octets += "".join(self._said).encode("utf-8", "replace")
            self._ends.append(len(self._octets))
            if len(self._ends) > _MOST_KEPT:
                raise Unreadable("The workbook is too large: save its first sheet as .csv.")
            self._said = None
        elif bare == "rPh":
            self._shown = True

    def text(self, text: str) -> None:
        if self._said is not None and self._shown:
            self._long += len(text)
            if self._long > _MOST_STRING:
                raise Unreadable("A cell of the workbook is too long.")
            self._said.append(text)


class Styles(Part):
    """Which styles show a number as a date."""

    def __init__(self) -> None:
        self._custom: set[int] = set()
        self._within = False
        self.dates: list[bool] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _bare(name):
            case "numFmt":
                if _shows_a_date(attributes.get("formatCode", "")):
                    self._custom.add(_number(attributes.get("numFmtId", "0")))
            case "cellXfs":
                self._within = True
            case "xf" if self._within:
                form = _number(attributes.get("numFmtId", "0"))
                self.dates.append(form in _DATES or form in self._custom)

    def end(self, name: str) -> None:
        if _bare(name) == "cellXfs":
            self._within = False


class Sheet(Part):
    """The cells of a sheet; `done` are the rows that are whole and not yet taken."""

    most = MOST_SHEET

    def __init__(self, strings: Strings, dates: list[bool]) -> None:
        self._strings = strings
        self._dates = dates
        self._cells: list[str] = []
        self._said: list[str] = []
        self._long = 0
        self._kind = self._style = ""
        self._within = False  # a value or a text
        self._at = self._row = 0
        self.done: list[list[str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = _bare(name)
        if name == "c":
            self._begin(attributes)
        elif name in {"v", "t"}:
            self._within = True
        elif name == "row":
            self._cells = []
            number = _number(attributes.get("r") or str(self._row + 1))
            if not self._row < number <= _MOST_ROWS:
                raise Unreadable(BROKEN)
            gap = min(number - self._row - 1, _MOST_ROWS)
            self.done += [[]] * gap
            self._row = number

    def _begin(self, attributes: dict[str, str]) -> None:
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._said, self._long = [], 0
        reference = attributes.get("r")
        self._at = _column(reference) if reference else len(self._cells)
        if self._at >= MOST_COLUMNS or self._at < len(self._cells):
            raise Unreadable(f"Row {self._row} has more than {MOST_COLUMNS} columns.")

    def end(self, name: str) -> None:
        if ":" in name:
            name = _bare(name)
        if name == "c":
            self._cells += [""] * (self._at - len(self._cells))
            self._cells.append(self._value("".join(self._said)))
        elif name in {"v", "t"}:
            self._within = False
        elif name == "row":
            self.done.append(self._cells)

    def text(self, text: str) -> None:
        if self._within:
            self._long += len(text)
            if self._long > MOST_CELL:
                raise Unreadable(f"Row {self._row}: a cell has more than {MOST_CELL} characters.")
            self._said.append(text)

    def _value(self, said: str) -> str:
        if self._kind == "s":
            shared = self._strings[_number(said)]
            if len(shared) > MOST_CELL:
                raise Unreadable(f"Row {self._row}: a cell has more than {MOST_CELL} characters.")
            return shared
        if self._kind != "n" or not said:
            return said if self._kind != "e" else ""
        style = _number(self._style) if self._style else -1
        if 0 <= style < len(self._dates) and self._dates[style]:
            return _date(said)
        return said if said.isdigit() else _plain(said)


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _number(spelt: str) -> int:
    if not (spelt.isascii() and spelt.isdigit() and len(spelt) < 10):
        raise Unreadable(BROKEN)
    return int(spelt)


def _column(reference: str) -> int:
    """From 0; `AB12` is 27."""
    number = 0
    for char in reference[:4]:
        if not "A" <= char <= "Z":
            break
        number = number * 26 + ord(char) - 64
    if not number:
        raise Unreadable(BROKEN)
    return number - 1


def _plain(said: str) -> str:
    """A number without an exponent or a tail of zeros: 2.55754E+11 is how MSISDNs are kept."""
    try:
        value = float(said)
    except ValueError:
        raise Unreadable(BROKEN) from None
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _date(said: str) -> str:
    try:
        at = _EPOCH + timedelta(days=float(said))
    except (ValueError, OverflowError):
        raise Unreadable(BROKEN) from None
    at = (at + timedelta(milliseconds=500)).replace(microsecond=0)
    whole = at.time() == datetime.min.time()
    return f"{at:%d/%m/%Y}" if whole else f"{at:%d/%m/%Y %H:%M}"


def _shows_a_date(code: str) -> bool:
    """Whether a format code shows years, months, days or hours; what is quoted or escaped is
    shown as it is."""
    bare = "".join(code.split('"')[::2])
    bare = "".join(piece[1:] if at else piece for at, piece in enumerate(bare.split("\\")))
    bare = "".join(piece.rpartition("]")[2] for piece in bare.split("["))
    return any(char in "ymdhs" for char in bare.casefold().replace("general", ""))
