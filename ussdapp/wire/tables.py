"""Knows tables as people save them: CSV (RFC 4180, and what spreadsheets make of it) in any usual
delimiter and encoding, read a row at a time. Everything that is read has a cap."""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

MOST_OCTETS: Final = 100 * 1024 * 1024  # of a file
MOST_COLUMNS: Final = 100
MOST_CELL: Final = 2000  # characters
_MOST_LINE: Final = 64 * 1024  # characters
_SNIFFED: Final = 16 * 1024  # octets that tell UTF-16 and what is no text
_DELIMITERS: Final = ",;\t"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")
)  # fmt: skip
_KINDS: Final = (
    (b"PK\x03\x04", "a workbook or an archive"),
    (b"\xd0\xcf\x11\xe0", "an old or a protected Excel file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "compressed"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)

Pieces = Callable[[], Iterator[bytes]]  # the file's octets from its beginning, each time


class Unreadable(ValueError):
    """The file cannot be read; the text is one sentence that quotes nothing of it."""


def rows_of_text(pieces: Pieces) -> Iterator[list[str]]:
    """The rows of a CSV file, an empty list for an empty one. Raises Unreadable."""
    lines = _lines(pieces, encoding_of(pieces))
    first = next(lines, None)
    if first is None:
        raise Unreadable("The file is empty.")
    said = first.strip().casefold()
    if said.startswith("sep=") and len(said) == 5:  # Excel's own first line
        yield []
        return (yield from _split(lines, said[4]))
    yield from _split(chain([first], lines), delimiter_of(first))


def encoding_of(pieces: Pieces) -> str:
    """What its octets are spelt in: by their mark, or UTF-8 where all of it is, or Windows-1252.
    Raises Unreadable for what is no text."""
    head = next(pieces(), b"")[:_SNIFFED]
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if found := next((told for magic, told in _KINDS if head.startswith(magic)), None):
        raise Unreadable(f"The file is {found}, not a text of columns.")
    if b"\0" in head:
        return _unmarked(head)
    return "utf-8" if _decodes(pieces(), "utf-8") else "cp1252"


def delimiter_of(header: str) -> str:
    """The delimiter of that line: the one it has most of outside quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _unmarked(head: bytes) -> str:
    """UTF-16 of a Latin text has a zero in every other octet."""
    pairs = max(1, len(head) // 2)
    for at, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[at::2].count(0) > 0.4 * pairs and not head[1 - at :: 2].count(0):
            return name
    raise Unreadable("The file is not a text: save it as .csv or .xlsx.")


def _decodes(pieces: Iterable[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _lines(pieces: Pieces, encoding: str) -> Iterator[str]:
    """The lines without their ends, whichever ends the file uses."""
    decoder = codecs.getincrementaldecoder(encoding)()
    left = ""
    try:
        for piece in pieces():
            *lines, left = _ended(left + decoder.decode(piece))
            yield from lines
            if len(left) > _MOST_LINE:
                raise Unreadable("A line of the file is too long: is a quote not closed?")
        *lines, left = _ended(left + decoder.decode(b"", final=True), last=True)
    except UnicodeDecodeError:
        raise Unreadable("The file is neither UTF-8, UTF-16 nor Windows-1252.") from None
    yield from lines
    if left:
        yield left


def _ended(text: str, *, last: bool = False) -> list[str]:
    if "\r" in text:
        # the other half of this end may be in the next piece
        held = "\r" if text.endswith("\r") and not last else ""
        text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n") + held
    return text.split("\n")


def _split(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MOST_CELL)
    reader = csv.reader(_unclosed(lines), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            if len(row) > MOST_COLUMNS:
                raise Unreadable(f"Row {number} has more than {MOST_COLUMNS} columns.")
            yield row
    except csv.Error as trouble:
        raise Unreadable(f"Row {number + 1}: {_told(str(trouble))}") from None


def _unclosed(lines: Iterator[str]) -> Iterator[str]:
    """A quoted cell may go on in the next line, with the end between them."""
    for line in lines:
        if len(line) > _MOST_LINE:
            raise Unreadable("A line of the file is too long: is a quote not closed?")
        yield line + "\n"


def _told(trouble: str) -> str:
    if "limit" in trouble:
        return f"a cell has more than {MOST_CELL} characters: is a quote not closed?"
    if "unexpected end" in trouble:
        return "a quote is opened and not closed."
    if "expected after" in trouble:
        return "there is something between a closing quote and the delimiter."
    return "it cannot be read as columns."
