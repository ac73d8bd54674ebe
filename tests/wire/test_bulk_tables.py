"""Tables as people save them, and files that mean harm: a sentence each, in time and in memory."""

import contextlib
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.hostile_files import BOOK, BOOKS, LINKS, TEXTS, archive, row, workbook
from ussdapp.wire.tables import Unreadable, rows_of_text
from ussdapp.wire.workbooks import rows_of_workbook

ROOT = Path(__file__).parents[2]
SPOILT = int(os.environ.get("BULK_SPOILT", "1000"))


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
