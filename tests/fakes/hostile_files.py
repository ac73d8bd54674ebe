"""Tables and workbooks that mean harm, by what is wrong with them; each made when it is wanted."""

import io
import random
import string
import zipfile
from collections.abc import Callable

from ussdapp.wire.tables import MOST_CELL

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>'
BOOK = (
    '<workbook xmlns:r="r"><sheets><sheet name="Watu" sheetId="1" r:id="rId7"/>'
    '<sheet name="Pili" sheetId="2" r:id="rId8"/></sheets></workbook>'
)
LINKS = (
    '<Relationships><Relationship Id="rId8" Target="worksheets/sheet2.xml"/>'
    '<Relationship Id="rId7" Target="/xl/worksheets/sheet1.xml"/></Relationships>'
)


def workbook(
    sheet: str | bytes, strings: str = "", styles: str = "", **members: bytes | str
) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("[Content_Types].xml", TYPES)
        folder.writestr("xl/workbook.xml", BOOK)
        folder.writestr("xl/_rels/workbook.xml.rels", LINKS)
        if strings:
            folder.writestr("xl/sharedStrings.xml", strings)
        if styles:
            folder.writestr("xl/styles.xml", styles)
        if isinstance(sheet, str):
            sheet = f"<worksheet><sheetData>{sheet}</sheetData></worksheet>".encode()
        folder.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, octets in members.items():
            folder.writestr(name, octets)
    return file


def row(cells: str, number: int = 1) -> str:
    return f'<row r="{number}">{cells}</row>'


def noise(count: int) -> str:
    """Letters that do not compress away."""
    return "".join(random.Random(1).choices(string.ascii_letters, k=count))


def lying(directory: int) -> bytes:
    """A directory that claims to be so long."""
    return b"\0" * 40 + b"PK\5\6" + b"\0" * 8 + directory.to_bytes(4, "little") + b"\0" * 6


HEAD = b"to,jina\n"
TEXTS: dict[str, Callable[[], bytes]] = {
    "one cell of 90 MB": lambda: HEAD + b"255754000001," + b"a" * 90_000_000,
    "one quoted cell of 90 MB": lambda: HEAD + b'255754000001,"' + b"a\n" * 45_000_000,
    "100,000 columns": lambda: b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
    "101 columns": lambda: b",".join(b"c%d" % n for n in range(101)) + b"\n",
    "an open quote": lambda: HEAD + b'255754000001,"Asha\n' + b"255754000002,Juma\n" * 2000,
    "an open quote at the end": lambda: HEAD + b'255754000001,"Asha\n',
    "a quote in the middle": lambda: HEAD + b'255754000001,"Asha" Juma\n',
    "a long cell": lambda: HEAD + b"255754000001," + b"a" * (MOST_CELL + 1),
    "only commas": lambda: b"," * 1_000_000,
    "only quotes": lambda: b'"' * 1_000_001,
    "only zeros": lambda: bytes(1_000_000),
    "noise": lambda: random.Random(2).randbytes(1_000_000),
    "UTF-16 cut in half": lambda: "to,jina\n".encode("utf-16") + b"a",
    "a lone surrogate in UTF-16": lambda: "to\n".encode("utf-16") + b"\x00\xd8\x41\x00",
    "no Windows-1252 either": lambda: HEAD + b"255754000001,\x81\x8d\n",
    "a workbook": lambda: workbook(row("")).getvalue(),
    "an old workbook": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000),
    "a PDF": lambda: b"%PDF-1.7 ...",
    "gzip": lambda: b"\x1f\x8b\x08" + bytes(100),
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a photograph": lambda: b"\xff\xd8\xff\xe0" + bytes(100),
    "a program": lambda: b"\x7fELF" + bytes(100),
    "a Windows program": lambda: b"MZ" + bytes(100),
    "empty": lambda: b"",
}
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
BOOKS: dict[str, Callable[[], io.BytesIO]] = {
    "no archive": lambda: io.BytesIO(b"to,jina\n"),
    "empty": lambda: io.BytesIO(b""),
    "cut short": lambda: io.BytesIO(workbook(row("")).getvalue()[:-30]),
    "half of it": lambda: io.BytesIO(workbook(row(noise(90_000))).getvalue()[:40_000]),
    "a directory that lies": lambda: io.BytesIO(lying(2**31)),
    "a directory of 2 million": lambda: io.BytesIO(lying(90_000_000)),
    "another archive": lambda: archive({"a.txt": b"habari"}),
    "2,000 members": lambda: archive({f"{n}": b"" for n in range(2000)}),
    "a bomb of zeros": lambda: workbook(b"<worksheet>" + b" " * 60_000_000),
    "a bomb beside the sheet": lambda: workbook(row(""), bomb=b"\0" * 60_000_000),
    "a bomb of strings": lambda: workbook(row(""), f"<sst>{'<si><t>a</t></si>' * 4_000_000}</sst>"),
    "strings without end": lambda: workbook(row(""), "<sst><si><t>" + "ab" * 20_000),
    "entities": lambda: workbook(DOCTYPE + b"<worksheet>&b;</worksheet>"),
    "entities in the strings": lambda: workbook(row(""), DOCTYPE.decode() + "<sst></sst>"),
    "entities in the book": lambda: archive({"xl/workbook.xml": DOCTYPE + b"<workbook/>"}),
    "no XML": lambda: workbook(b"to,jina"),
    "XML cut short": lambda: workbook(b"<worksheet><sheetData><row r='1'><c r='A1'><v>1"),
    "too deep": lambda: workbook("<a>" * 100_000),
    "too deep in the strings": lambda: workbook(row(""), "<sst>" + "<r>" * 100_000),
    "a tag without end": lambda: workbook(f'<row r="1" x="{noise(3_000_000)}'),
    "a comment without end": lambda: workbook(f"<!--{noise(3_000_000)}"),
    "100,000 columns": lambda: workbook(row("<c><v>1</v></c>" * 100_000)),
    "the last column": lambda: workbook(row('<c r="XFD1"><v>1</v></c>')),
    "no column": lambda: workbook(row('<c r="1"><v>1</v></c>')),
    "columns backwards": lambda: workbook(row('<c r="B1"><v>1</v></c><c r="A1"><v>1</v></c>')),
    "row 2,000,000": lambda: workbook(row("", 2_000_000)),
    "row 0": lambda: workbook(row("", 0)),
    "rows backwards": lambda: workbook(row("", 5) + row("", 4)),
    "a row of letters": lambda: workbook('<row r="x"></row>'),
    "a cell of 3 MB": lambda: workbook(row(f'<c t="str"><v>{noise(3_000_000)}</v></c>')),
    "a string of 3 MB": lambda: workbook(row(""), f"<sst><si><t>{noise(3_000_000)}</t></si></sst>"),
    "a string that is not there": lambda: workbook(row('<c t="s"><v>9</v></c>')),
    "a string of no number": lambda: workbook(row('<c t="s"><v>-1</v></c>')),
    "a number of letters": lambda: workbook(row("<c><v>abc</v></c>")),
    "a date beyond time": lambda: workbook(
        row('<c s="0"><v>1e300</v></c>'),
        "",
        '<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>',
    ),
    "no sheet": lambda: archive(
        {"xl/workbook.xml": b"<workbook/>", "xl/_rels/workbook.xml.rels": b"<r/>"}
    ),
    "a sheet outside": lambda: archive(
        {
            "xl/workbook.xml": BOOK.encode(),
            "xl/_rels/workbook.xml.rels": LINKS.replace("/xl/work", "../../etc/").encode(),
        }
    ),
    "another compression": lambda: archive({"xl/workbook.xml": b"a" * 99}, zipfile.ZIP_LZMA),
    "wrong checksum": lambda: spoilt(workbook(row("<c><v>1</v></c>"))),
}


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as folder:
        for name, octets in members.items():
            folder.writestr(name, octets)
    return file


def spoilt(file: io.BytesIO) -> io.BytesIO:
    octets = bytearray(file.getvalue())
    at = octets.rfind(b"PK\x01\x02")
    octets[at + 16] ^= 0xFF
    return io.BytesIO(bytes(octets))
