"""Knows workbooks (.xlsx: ECMA-376, SpreadsheetML) as far as the cells of the first sheet, read a
row at a time in flat memory. What is hostile is refused by the sizes its directory declares (the
zip library reads no octet more), by caps, and for having a document type."""

import io
import posixpath
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, Final
from xml.parsers import expat

from ussdapp.wire.tables import MOST_CELL, MOST_COLUMNS, Unreadable

_MOST_MEMBERS: Final = 1000
_MOST_SHEET: Final = 400 * 1024 * 1024  # octets, inflated
_MOST_STRINGS: Final = 128 * 1024 * 1024
_MOST_SMALL: Final = 4 * 1024 * 1024  # of any other member that is read
_MOST_RATIO: Final = 100  # times, of what is not small
_PIECE: Final = 64 * 1024
_MOST_ROWS: Final = 1_048_576
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no zone
# built-in formats of dates and times (ECMA-376 18.8.30)
_DATES: Final = frozenset({*range(14, 23), *range(45, 48)})
_MOST_DIRECTORY: Final = 1024 * 1024  # octets of the list of members
_MOST_COMMENT: Final = 65_535
_DIRECTORY_END: Final = 22  # octets of its record (PKWARE appnote 4.3.16)
_MOST_STRING: Final = 32_767  # characters, as Excel itself allows
_MOST_KEPT: Final = 4_000_000  # shared strings
_MOST_DEPTH: Final = 50
_MOST_TOKEN: Final = 256 * 1024  # octets of a tag that is not yet whole
_SHARED: Final = "xl/sharedStrings.xml"
_BROKEN: Final = "The workbook is damaged or is no .xlsx file."


def rows_of_workbook(file: IO[bytes]) -> Iterator[list[str]]:
    """The rows of the first sheet, an empty list for one that is not there. Raises Unreadable."""
    _refuse_long_directory(file)
    try:
        with zipfile.ZipFile(file) as folder:
            sheet = checked(folder)
            strings, styles = _Strings(), _Styles()
            _read(folder, _SHARED, strings)
            _read(folder, "xl/styles.xml", styles)
            yield from _rows(folder, sheet, _Sheet(strings, styles.dates))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError):
        raise Unreadable(_BROKEN) from None


def first_rows(file: IO[bytes], most: int) -> list[list[str]]:
    """The first rows, or none where so many shared strings come first that they are not worth it;
    either way what the directory shows is held against the caps. Raises Unreadable."""
    _refuse_long_directory(file)
    try:
        with zipfile.ZipFile(file) as folder:
            checked(folder)
            strings = [one.file_size for one in folder.infolist() if one.filename == _SHARED]
        if sum(strings) > _MOST_SMALL:
            return []
        return list(islice(rows_of_workbook(file), most))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError):
        raise Unreadable(_BROKEN) from None


def checked(folder: zipfile.ZipFile) -> str:
    """The name of the first sheet's member, after every cap is held against the directory."""
    members = folder.infolist()
    if len(members) > _MOST_MEMBERS:
        raise Unreadable("The workbook holds too many parts.")
    for member in members:
        ratio = member.file_size / max(1, member.compress_size)
        if member.file_size > _MOST_SMALL and ratio > _MOST_RATIO:
            raise Unreadable("The workbook would swell beyond all measure when unpacked.")
        if member.file_size > _MOST_SHEET:
            raise Unreadable("The workbook is too large: save its first sheet as .csv.")
        if member.flag_bits & 1:
            raise Unreadable("The workbook is protected by a password.")
    return _first_sheet(folder)


def _refuse_long_directory(file: IO[bytes]) -> None:
    """The zip library would read all of it into objects. It is found as the library finds it."""
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - _MOST_COMMENT - _DIRECTORY_END))
    tail = file.read()
    bare = tail[-_DIRECTORY_END:]
    plain = bare.startswith(b"PK\5\6") and bare.endswith(b"\0\0")
    at = len(tail) - _DIRECTORY_END if plain else tail.rfind(b"PK\5\6")
    record = tail[at : at + _DIRECTORY_END] if at >= 0 else b""
    if len(record) < _DIRECTORY_END or tail[max(0, at - 20) : at].startswith(b"PK\6\7"):
        raise Unreadable(_BROKEN)
    if int.from_bytes(record[12:16], "little") > _MOST_DIRECTORY:
        raise Unreadable("The workbook holds too many parts.")


class _Part:
    """What reads one member; it raises Unreadable."""

    most = _MOST_SMALL

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


class _Guard:
    """Passes elements on, unless they lie too deep: expat remembers every open one."""

    def __init__(self, part: _Part) -> None:
        self._start, self._end = part.start, part.end
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise Unreadable(_BROKEN)
        self._start(name, attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self._end(name)


class _Links(_Part):
    """Collects the attributes of elements of one name."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self.found: list[dict[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if _bare(name) == self._wanted:
            self.found.append({_bare(key): value for key, value in attributes.items()})


class _Strings(_Part):
    """The shared strings, as one run of octets: a million of them are no million objects."""

    most = _MOST_STRINGS

    def __init__(self) -> None:
        self._octets = bytearray()
        self._ends = array("I")
        self._long = 0
        self._said: list[str] | None = None
        self._shown = True

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends):
            raise Unreadable(_BROKEN)
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


class _Styles(_Part):
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


class _Sheet(_Part):
    """The cells of a sheet; `done` are the rows that are whole and not yet taken."""

    most = _MOST_SHEET

    def __init__(self, strings: _Strings, dates: list[bool]) -> None:
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
                raise Unreadable(_BROKEN)
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


def _rows(folder: zipfile.ZipFile, name: str, sheet: _Sheet) -> Iterator[list[str]]:
    for _ in _parsed(folder, name, sheet):
        yield from sheet.done
        sheet.done = []


def _read(folder: zipfile.ZipFile, name: str, part: _Part) -> None:
    if name in folder.namelist():
        for _ in _parsed(folder, name, part):
            pass


def _parsed(folder: zipfile.ZipFile, name: str, part: _Part) -> Iterator[None]:
    """Reads a member piece by piece."""
    if folder.getinfo(name).file_size > part.most:
        raise Unreadable("The workbook is too large: save its first sheet as .csv.")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    guard = _Guard(part)
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    parser.CharacterDataHandler = part.text
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        with folder.open(name) as octets:
            fed = 0
            while piece := octets.read(_PIECE):
                parser.Parse(piece)
                fed += len(piece)
                if fed - parser.CurrentByteIndex > _MOST_TOKEN:
                    raise Unreadable(_BROKEN)
                yield
        parser.Parse(b"", True)  # noqa: FBT003 - expat takes it by position
        yield
    except expat.ExpatError:
        raise Unreadable(_BROKEN) from None


def _no_doctype(*_declared: object) -> None:
    raise Unreadable("The workbook declares a document type, which no spreadsheet does.")


def _first_sheet(folder: zipfile.ZipFile) -> str:
    names = set(folder.namelist())
    if "xl/workbook.xml" not in names:
        raise Unreadable("The file is no .xlsx workbook: save it as .xlsx or .csv.")
    sheets, links = _Links("sheet"), _Links("Relationship")
    _read(folder, "xl/workbook.xml", sheets)
    _read(folder, "xl/_rels/workbook.xml.rels", links)
    targets = {link.get("Id"): link.get("Target", "") for link in links.found}
    target = targets.get(sheets.found[0].get("id")) if sheets.found else None
    name = posixpath.normpath(posixpath.join("xl", target)).lstrip("/") if target else ""
    if name not in names:
        raise Unreadable("The workbook has no sheet.")
    return name


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _number(spelt: str) -> int:
    if not (spelt.isascii() and spelt.isdigit() and len(spelt) < 10):
        raise Unreadable(_BROKEN)
    return int(spelt)


def _column(reference: str) -> int:
    """From 0; `AB12` is 27."""
    number = 0
    for char in reference[:4]:
        if not "A" <= char <= "Z":
            break
        number = number * 26 + ord(char) - 64
    if not number:
        raise Unreadable(_BROKEN)
    return number - 1


def _plain(said: str) -> str:
    """A number without an exponent or a tail of zeros: 2.55754E+11 is how MSISDNs are kept."""
    try:
        value = float(said)
    except ValueError:
        raise Unreadable(_BROKEN) from None
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _date(said: str) -> str:
    try:
        at = _EPOCH + timedelta(days=float(said))
    except (ValueError, OverflowError):
        raise Unreadable(_BROKEN) from None
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
