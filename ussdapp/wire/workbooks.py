"""Knows workbooks (.xlsx: ECMA-376, SpreadsheetML) as far as the cells of the first sheet, read a
row at a time in flat memory. What is hostile is refused by the sizes its directory declares (the
zip library reads no octet more), by caps, and for having a document type."""

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import IO, Final
from xml.parsers import expat

from ussdapp.wire.tables import Unreadable
from ussdapp.wire.workbook_parts import (
    BROKEN,
    MOST_SHEET,
    MOST_SMALL,
    Links,
    Part,
    Sheet,
    Strings,
    Styles,
)

_MOST_MEMBERS: Final = 1000
_MOST_RATIO: Final = 100  # times, of what is not small
_PIECE: Final = 64 * 1024
_MOST_DIRECTORY: Final = 1024 * 1024  # octets of the list of members
_MOST_COMMENT: Final = 65_535
_DIRECTORY_END: Final = 22  # octets of its record (PKWARE appnote 4.3.16)
_MOST_DEPTH: Final = 50
_MOST_TOKEN: Final = 256 * 1024  # octets of a tag that is not yet whole
# what the zip library raises for archives that are none
_TROUBLES: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError,
    NotImplementedError, RuntimeError, KeyError,
)  # fmt: skip
_SHARED: Final = "xl/sharedStrings.xml"


def rows_of_workbook(file: IO[bytes]) -> Iterator[list[str]]:
    """The rows of the first sheet, an empty list for one that is not there. Raises Unreadable."""
    _refuse_long_directory(file)
    try:
        with zipfile.ZipFile(file) as folder:
            sheet = checked(folder)
            strings, styles = Strings(), Styles()
            _read(folder, _SHARED, strings)
            _read(folder, "xl/styles.xml", styles)
            yield from _rows(folder, sheet, Sheet(strings, styles.dates))
    except Unreadable:
        raise
    except _TROUBLES:
        raise Unreadable(BROKEN) from None


def first_rows(file: IO[bytes], most: int) -> list[list[str]]:
    """The first rows, or none where so many shared strings come first that they are not worth it;
    either way what the directory shows is held against the caps. Raises Unreadable."""
    _refuse_long_directory(file)
    try:
        with zipfile.ZipFile(file) as folder:
            checked(folder)
            strings = [one.file_size for one in folder.infolist() if one.filename == _SHARED]
        if sum(strings) > MOST_SMALL:
            return []
        return list(islice(rows_of_workbook(file), most))
    except Unreadable:
        raise
    except _TROUBLES:
        raise Unreadable(BROKEN) from None


def checked(folder: zipfile.ZipFile) -> str:
    """The name of the first sheet's member, after every cap is held against the directory."""
    members = folder.infolist()
    if len(members) > _MOST_MEMBERS:
        raise Unreadable("The workbook holds too many parts.")
    for member in members:
        ratio = member.file_size / max(1, member.compress_size)
        if member.file_size > MOST_SMALL and ratio > _MOST_RATIO:
            raise Unreadable("The workbook would swell beyond all measure when unpacked.")
        if member.file_size > MOST_SHEET:
            raise Unreadable("The workbook is too large: save its first sheet as .csv.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(BROKEN)  # others say themselves how much memory they want
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
        raise Unreadable(BROKEN)
    if int.from_bytes(record[12:16], "little") > _MOST_DIRECTORY:
        raise Unreadable("The workbook holds too many parts.")


class _Guard:
    """Passes elements on, unless they lie too deep: expat remembers every open one."""

    def __init__(self, part: Part) -> None:
        self._start, self._end = part.start, part.end
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise Unreadable(BROKEN)
        self._start(name, attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self._end(name)


def _rows(folder: zipfile.ZipFile, name: str, sheet: Sheet) -> Iterator[list[str]]:
    for _ in _parsed(folder, name, sheet):
        yield from sheet.done
        sheet.done = []


def _read(folder: zipfile.ZipFile, name: str, part: Part) -> None:
    if name in folder.namelist():
        for _ in _parsed(folder, name, part):
            pass


def _parsed(folder: zipfile.ZipFile, name: str, part: Part) -> Iterator[None]:
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
                    raise Unreadable(BROKEN)
                yield
        parser.Parse(b"", True)  # noqa: FBT003 - expat takes it by position
        yield
    except expat.ExpatError:
        raise Unreadable(BROKEN) from None


def _no_doctype(*_declared: object) -> None:
    raise Unreadable("The workbook declares a document type, which no spreadsheet does.")


def _first_sheet(folder: zipfile.ZipFile) -> str:
    names = set(folder.namelist())
    if "xl/workbook.xml" not in names:
        raise Unreadable("The file is no .xlsx workbook: save it as .xlsx or .csv.")
    sheets, links = Links("sheet"), Links("Relationship")
    _read(folder, "xl/workbook.xml", sheets)
    _read(folder, "xl/_rels/workbook.xml.rels", links)
    targets = {link.get("Id"): link.get("Target", "") for link in links.found}
    target = targets.get(sheets.found[0].get("id")) if sheets.found else None
    name = posixpath.normpath(posixpath.join("xl", target)).lstrip("/") if target else ""
    if name not in names:
        raise Unreadable("The workbook has no sheet.")
    return name
