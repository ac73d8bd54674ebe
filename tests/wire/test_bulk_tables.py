"""Tables as people save them, and files that mean harm: a sentence each, in time and in memory."""

import contextlib
import io
import os
import random
import string
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ussdapp.wire.tables import MOST_CELL, Unreadable, rows_of_text
from ussdapp.wire.workbooks import rows_of_workbook

ROOT = Path(__file__).parents[2]
SPOILT = int(os.environ.get("BULK_SPOILT", "1000"))
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>'
BOOK = (
    '<workbook xmlns:r="r"><sheets><sheet name="Watu" sheetId="1" r:id="rId7"/>'
    '<sheet name="Pili" sheetId="2" r:id="rId8"/></sheets></workbook>'
)
LINKS = (
    '<Relationships><Relationship Id="rId8" Target="worksheets/sheet2.xml"/>'
    '<Relationship Id="rId7" Target="/xl/worksheets/sheet1.xml"/></Relationships>'
)


def text(octets: bytes, piece: int = 7) -> list[list[str]]:
    """The rows, read in pieces so small that every cut falls somewhere."""

    def pieces() -> Iterator[bytes]:
        return (octets[at : at + piece] for at in range(0, len(octets), piece))

    whole = octets[:65536]

    def first_whole() -> Iterator[bytes]:
        yield whole
        yield from (octets[at : at + piece] for at in range(65536, len(octets), piece))

    assert piece > 100 or list(rows_of_text(first_whole)) == list(rows_of_text(pieces))
    return list(rows_of_text(first_whole))


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_table_is_read_in_every_usual_spelling(encoding: str, delimiter: str, end: str) -> None:
    lines = [["to", "jina"], ["255754000001", "Zoë"], [], ["255754000002", "Juma"]]
    spelt = end.join(delimiter.join(line) for line in lines) + end
    assert text(spelt.encode(encoding)) == lines


def test_what_is_not_utf_8_is_windows_1252_and_the_last_octet_decides() -> None:
    lines = "to,jina\n" + "255754000001,Asha\n" * 9000 + "255754000002,Zoë “Z”\n"
    assert text(lines.encode("cp1252"), 4096)[-1] == ["255754000002", "Zoë “Z”"]
    assert text(lines.encode("utf-8"), 4096)[-1] == ["255754000002", "Zoë “Z”"]


def test_quotes_hold_delimiters_line_ends_and_quotes() -> None:
    assert text(b'to;jina\r\n"255754000001";"A; ""B""\r\nC"\r\n') == [
        ["to", "jina"], ["255754000001", 'A; "B"\nC'],
    ]  # fmt: skip


def test_excels_own_first_line_names_the_delimiter() -> None:
    assert text(b"sep=;\nto;jina, la pili\n1;2\n") == [[], ["to", "jina, la pili"], ["1", "2"]]


def test_a_workbook_is_read_as_it_is_shown() -> None:
    strings = "<sst><si><t>to</t></si><si><r><t>ji</t></r><r><t>na</t></r></si></sst>"
    styles = (
        '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="d/m/yy"/></numFmts><cellXfs>'
        '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="4"/></cellXfs>'
        "</styleSheet>"
    )
    sheet = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><v>2.55754000001E11</v></c><c r="C3" t="inlineStr"><is><t>Asha</t>'
        '</is></c><c r="D3" s="1"><v>46000</v></c><c r="E3" s="2"><v>46000.5</v></c>'
        '<c r="F3" s="3"><v>12000</v></c><c r="G3"><v>0.5</v></c><c r="H3" t="b"><v>1</v></c>'
        '<c r="I3" t="e"><v>#REF!</v></c><c r="J3" t="str"><f>A1</f><v>x</v></c></row>'
    )
    assert list(rows_of_workbook(workbook(sheet, strings, styles))) == [
        ["to", "jina"],
        [],
        ["255754000001", "", "Asha", "09/12/2025", "09/12/2025 12:00", "12000", "0.5", "1", "",
         "x"],
    ]  # fmt: skip


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


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_refused_with_a_sentence(name: str) -> None:
    octets = TEXTS[name]()

    def pieces() -> Iterator[bytes]:
        return (octets[at : at + 262_144] for at in range(0, len(octets), 262_144))

    with pytest.raises(Unreadable) as refused:
        for _ in rows_of_text(pieces):
            pass
    assert str(refused.value).endswith((".", "?"))


@pytest.mark.parametrize("name", BOOKS)
def test_a_hostile_workbook_is_refused_with_a_sentence(name: str) -> None:
    file = BOOKS[name]()
    with pytest.raises(Unreadable) as refused:
        for _ in rows_of_workbook(file):
            pass
    assert str(refused.value).endswith((".", "?"))


def test_whatever_octets_are_changed_it_is_read_or_refused() -> None:
    sheet = row('<c r="A1" t="s"><v>0</v></c><c r="B1" s="0"><v>46000</v></c>')
    styles = '<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>'
    whole = workbook(sheet, "<sst><si><t>to</t></si></sst>", styles).getvalue()
    chance = random.Random(3)
    for _ in range(SPOILT):
        octets = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        with contextlib.suppress(Unreadable):
            for _ in rows_of_workbook(io.BytesIO(octets)):
                pass


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml",
             "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"],
)  # fmt: skip
def test_whatever_is_written_in_a_part_it_is_read_or_refused(part: str) -> None:
    sheet = b'<worksheet><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="0"><v>46</v></c></row>'
    parts = {
        "xl/workbook.xml": BOOK.encode(),
        "xl/_rels/workbook.xml.rels": LINKS.encode(),
        "xl/styles.xml": b'<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": b"<sst><si><t>to</t></si></sst>",
        "xl/worksheets/sheet1.xml": sheet + b"</worksheet>",
    }
    chance = random.Random(4)
    for _ in range(SPOILT // 10):
        octets = bytearray(parts[part])
        for _ in range(chance.randint(1, 3)):
            octets[chance.randrange(len(octets))] = chance.choice(b'0123456789"<>/=-AZ.eE&;: ')
        with contextlib.suppress(Unreadable):
            for _ in rows_of_workbook(archive(parts | {part: bytes(octets)})):
                pass


def test_whatever_octets_a_text_has_it_is_read_or_refused() -> None:
    chance = random.Random(5)
    for _ in range(SPOILT):
        octets = bytes(chance.choices(b'to,;\t"\r\n\x00\xff\xfe\xc3\xab\x81', k=40))
        with contextlib.suppress(Unreadable):
            for _ in rows_of_text(lambda octets=octets: iter([octets])):  # type: ignore[misc]
                pass


MEASURED = """
import sys
from pathlib import Path
from ussdapp.wire.tables import Unreadable, rows_of_text
from ussdapp.wire.workbooks import rows_of_workbook
kind, name, path = sys.argv[1:]
try:
    if kind == "text":
        def pieces():
            with open(path, "rb") as file:
                while piece := file.read(262_144):
                    yield piece
        for _ in rows_of_text(pieces): pass
    else:
        for _ in rows_of_workbook(open(path, "rb")): pass
except Unreadable:
    said = Path("/proc/self/status").read_text().splitlines()
    print(*(line.split()[1] for line in said if line.startswith("VmHWM:")))
"""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text", "one cell of 90 MB"),
        ("text", "one quoted cell of 90 MB"),
        ("text", "100,000 columns"),
        ("book", "a bomb of zeros"),
        ("book", "a bomb of strings"),
        ("book", "a directory of 2 million"),
        ("book", "a tag without end"),
        ("book", "too deep"),
    ],
)
def test_what_is_hostile_takes_little_memory(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(TEXTS[name]() if kind == "text" else BOOKS[name]().getvalue())
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, kind, name, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(measured.stdout) < 256 * 1024  # kilobytes
