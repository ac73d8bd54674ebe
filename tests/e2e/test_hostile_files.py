"""Files that mean harm, posted to the whole gateway: each is refused with a sentence and a code, or
is taken and then checked, with little time and memory of the processes that read it. HOSTILE=all
posts the heaviest as well (`make storm`)."""

import contextlib
import gzip
import http.client
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import System
from tests.fakes.hostile_files import BOOKS, DOCTYPE, HEAD, TEXTS, archive, row, workbook
from tests.fakes.patience import until

HEAVY = {"one cell of 90 MB", "one quoted cell of 90 MB", "a gigabyte in pieces"}
LIMIT = "kikomo"
KIND = f"multipart/form-data; boundary={LIMIT}"
FIELDS = {"name": "Bili", "text": "Habari."}
MOST_MB = 256
MOST_CPU_S = 5.0
ROW = b"255700000000,Asha\n"
GOOD = HEAD + ROW


@dataclass
class Sent:
    """A request as it goes out."""

    body: bytes
    kind: str = KIND
    more: tuple[tuple[str, str], ...] = ()
    pieces: Iterable[bytes] = ()  # instead of the body


def part(disposition: str, octets: bytes) -> bytes:
    head = f"--{LIMIT}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode("utf-8", "surrogatepass") + octets + b"\r\n"


def form(*parts: bytes, end: bytes = f"--{LIMIT}--\r\n".encode(), **fields: str) -> Sent:
    said = [part(f'name="{name}"', value.encode()) for name, value in (FIELDS | fields).items()]
    return Sent(b"".join([*said, *parts]) + end)


def file(octets: bytes, name: str = "watu.csv") -> bytes:
    return part(f'name="file"; filename="{name}"', octets)


def book(octets: io.BytesIO) -> bytes:
    return file(octets.getvalue(), "watu.xlsx")


def lying_sizes() -> bytes:
    """A member that says it is small, in both its headers, and is not."""
    sheet = b"<worksheet><sheetData>" + b"<row><c><v>1</v></c></row>" * 200_000
    octets = bytearray(workbook(sheet).getvalue())
    size = len(sheet).to_bytes(4, "little")
    small = (1000).to_bytes(4, "little")
    return bytes(octets.replace(size, small))


def encrypted() -> bytes:
    octets = bytearray(workbook(row("")).getvalue())
    at = octets.find(b"PK\x01\x02")
    octets[at + 8] |= 1
    return bytes(octets)


def external() -> io.BytesIO:
    entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return workbook(entity + b"<worksheet>&a;</worksheet>")


def laughs() -> io.BytesIO:
    names = "abcdefghij"
    entities = b'<!ENTITY a "ha">' + b"".join(
        f'<!ENTITY {one} "{f"&{before};" * 10}">'.encode() for before, one in pairwise(names)
    )
    return workbook(b"<!DOCTYPE x [" + entities + b"]><worksheet>&j;</worksheet>")


def gigabyte() -> Iterable[bytes]:
    yield form(end=b"").body
    yield file(HEAD + b"255700000000,", "watu.csv")[:-2]
    for _ in range(16 * 1024):
        yield b"a" * 65536


# What a file of a form may be, and the code it is refused with: None is taken and checked.
FORMS: dict[str, tuple[Callable[[], Sent], str | None]] = {
    "a plain file": (lambda: form(file(GOOD)), None),
    "a name in capitals": (lambda: form(file(GOOD, "WATU.CSV")), None),
    "a name of a path upwards": (lambda: form(file(GOOD, "../../../etc/cron.d/x.csv")), None),
    "a name of a path of Windows": (lambda: form(file(GOOD, "C:\\\\Windows\\\\x.csv")), None),
    "a very long name": (lambda: form(file(GOOD, "a" * 4000 + ".csv")), None),
    "a name that reads backwards": (lambda: form(file(GOOD, "watu\u202evsc.exe")), "kind"),
    "a name of a program": (lambda: form(file(GOOD, "watu.csv.exe")), "kind"),
    "a name of nothing but its end": (lambda: form(file(GOOD, ".csv")), None),
    "an empty name": (lambda: form(file(GOOD, "")), "kind"),
    "a name with a NUL": (lambda: form(file(GOOD, "watu.exe\0.csv")), None),
    "no name": (lambda: form(part('name="file"', GOOD)), "no_file"),
    "no file": (form, "required"),
    "an old workbook's name": (lambda: form(file(GOOD, "watu.xls")), "kind"),
    "a table called a workbook": (lambda: form(file(GOOD, "watu.xlsx")), "unreadable"),
    "a workbook called a table": (lambda: form(file(workbook(row("")).getvalue())), "unreadable"),
    "two files": (lambda: form(file(GOOD), file(GOOD)), "twice"),
    "a field twice": (lambda: form(part('name="name"', b"B"), file(GOOD)), "twice"),
    "a field nobody knows": (lambda: form(file(GOOD), admin="true"), "unknown"),
    "a field of a megabyte": (lambda: form(file(GOOD), text="a" * 1_000_000), "413"),
    "10,000 fields": (
        lambda: form(*(part(f'name="f{n}"', b"") for n in range(10_000)), file(GOOD)),
        "413",
    ),
    "no end": (lambda: form(file(GOOD), end=b""), "400"),
    "no boundary": (lambda: Sent(b"to\n", "multipart/form-data"), "400"),
    "another boundary": (lambda: Sent(form(file(GOOD)).body, f"{KIND}x"), "400"),
    "an empty body": (lambda: Sent(b""), "400"),
    "a form within a form": (
        lambda: form(file(form(file(GOOD)).body.replace(LIMIT.encode(), b"another"))),
        "no_to",
    ),
    "a part with a header of 100 kB": (
        lambda: form(part(f'name="x{"y" * 100_000}"', b""), file(GOOD)),
        "4",
    ),
    "a body that is compressed": (
        lambda: Sent(gzip.compress(form(file(GOOD)).body), more=(("Content-Encoding", "gzip"),)),
        "4",
    ),
    "a gigabyte that is announced": (
        lambda: Sent(b"", more=(("Content-Length", str(2**30)),)),
        "413",
    ),
    "a gigabyte in pieces": (lambda: Sent(b"", pieces=gigabyte()), "413"),
    "only the columns": (lambda: form(file(HEAD)), None),
    "only ends of lines": (lambda: form(file(b"\n" * 1_000_000)), None),
    "ends of lines of an old Mac": (lambda: form(file(GOOD.replace(b"\n", b"\r"))), None),
    "all ends at once": (lambda: form(file(HEAD + ROW[:-1] + b"\r\n\r" + ROW)), None),
    "a mark of UTF-8 and UTF-16 after it": (
        lambda: form(file(b"\xef\xbb\xbf" + GOOD.decode().encode("utf-16-le"))),
        "4",
    ),
    "UTF-7": (lambda: form(file(GOOD.decode().replace("to", "+AHQAbw-").encode())), "no_to"),
    "UTF-32": (lambda: form(file(GOOD.decode().encode("utf-32"))), "4"),
    "EBCDIC": (lambda: form(file(GOOD.decode().encode("cp037"))), "4"),
    "two encodings": (lambda: form(file(GOOD + "Chai ☕,é\n".encode() + b"x,\xe9\n")), None),
    "a NUL in a cell": (lambda: form(file(GOOD + b"255700000001,As\0ha\n")), "4"),
    "a NUL far down": (lambda: form(file(GOOD + ROW * 2000 + b"255700000001,A\0\n")), None),
    "two columns called to": (lambda: form(file(b"to,TO\n255700000000,255700000001\n")), "twice"),
    "columns without names": (lambda: form(file(b",,,\n255700000000,,,\n")), "no_to"),
    "a column's name of 60 kB": (lambda: form(file(b"to," + b"n" * 60_000 + b"\n")), "unreadable"),
    "a text that wants a column": (lambda: form(file(GOOD), text="Ndugu ((kiasi))"), "no_column"),
    "a text of 500 columns": (
        lambda: form(file(GOOD), text=" ".join(f"(({n}x))" for n in range(500))),
        "4",
    ),
    "formulas": (lambda: form(file(HEAD + b"=1+1,x\n+A1,y\n@SUM(1),z\n-2,w\n\t3,q\n")), None),
    "cells that read backwards": (
        lambda: form(file(HEAD + "\u202e255700000000,\u202eAsha\n".encode())),
        None,
    ),
    "an archive in a workbook": (
        lambda: form(book(workbook(archive({"a": b"0" * 100_000}).getvalue()))),
        "unreadable",
    ),
    "a workbook in a workbook": (
        lambda: form(book(archive({"xl/workbook.xml": workbook(row("")).getvalue()}))),
        "unreadable",
    ),
    "sizes that lie": (lambda: form(file(lying_sizes(), "watu.xlsx")), "4"),
    "a password": (lambda: form(file(encrypted(), "watu.xlsx")), "unreadable"),
    "an entity of another file": (lambda: form(book(external())), "unreadable"),
    "a billion laughs": (lambda: form(book(laughs())), "unreadable"),
    "laughs among the strings": (
        lambda: form(book(workbook(row(""), DOCTYPE.decode() + "<sst>&b;</sst>"))),
        "unreadable",
    ),
    "a sheet of the last row alone": (
        lambda: form(book(workbook(row('<c t="str"><v>to</v></c>', 1_048_576)))),
        None,
    ),
}
# whatever one of them is taken for, at once or when it is checked, it says so in a sentence
CASES: dict[str, tuple[Callable[[], Sent], str | None]] = {
    **FORMS,
    **{
        f"a table: {name}": ((lambda made=made: form(file(made()))), "*")
        for name, made in TEXTS.items()
    },
    **{
        f"a workbook: {name}": ((lambda made=made: form(book(made()))), "*")
        for name, made in BOOKS.items()
    },
}


def weighs(name: str) -> bool:
    return name.removeprefix("a table: ") in HEAVY and os.environ.get("HOSTILE") != "all"


def post(system: System, sent: Sent) -> tuple[int, dict[str, Any]]:
    """The answer; a server that refuses early need not read on."""
    host, port = "127.0.0.1", system.port
    link = http.client.HTTPConnection(host, port, timeout=30)
    link.putrequest("POST", "/api/v1/bulks")
    link.putheader("Authorization", f"Bearer {system.demo['api_key']}")
    link.putheader("Content-Type", sent.kind)
    for name, value in sent.more:
        link.putheader(name, value)
    if sent.pieces:
        link.putheader("Transfer-Encoding", "chunked")
    elif "Content-Length" not in dict(sent.more):
        link.putheader("Content-Length", str(len(sent.body)))
    with contextlib.suppress(ConnectionError, TimeoutError):
        link.endheaders(sent.pieces or sent.body, encode_chunked=bool(sent.pieces))
    answer = link.getresponse()
    status, octets = answer.status, answer.read()
    link.close()
    if status == 429:
        time.sleep(float(answer.headers["Retry-After"]))
        return post(system, sent)
    return status, dict(json.loads(octets))


def checked(system: System, number: str) -> dict[str, Any]:
    """The bulk once all of it is checked."""

    def seen() -> dict[str, Any] | None:
        answer = system.call(
            f"/api/v1/bulks/{number}", Authorization=f"Bearer {system.demo['api_key']}"
        )
        told = json.loads(answer.text)
        return told if told.get("status") not in (None, 429, "checking") else None

    return dict(until(seen))


@pytest.fixture(scope="module")
def readers(system: System) -> list[int]:
    """The processes that read what is posted."""
    return [*system.pids("granian"), *system.pids("workers.importing")]


def cpu_s(pids: Iterable[int]) -> float:
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@pytest.mark.parametrize("name", [name for name in CASES if not weighs(name)])
def test_a_hostile_file_is_refused_or_taken_with_a_sentence(
    system: System, readers: list[int], name: str
) -> None:
    made, code = CASES[name]
    sent, before = made(), cpu_s(readers)
    status, told = post(system, sent)
    if status == 202:
        assert code in (None, "*"), told
        seen = checked(system, told["id"])
        assert seen["status"] != "stopped" or seen["detail"].endswith((".", "?")), seen
    else:
        assert code is not None, told
        assert 400 <= status < 500, told
        assert told["detail"].endswith((".", "?"))
        codes = [one["code"] for one in told.get("errors", [])]
        assert code in ("*", *codes) or str(status).startswith(code), told
        assert all(one["message"].endswith((".", "?")) for one in told.get("errors", []))
    # they are all there still, or their papers could not be read
    assert cpu_s(readers) - before < MOST_CPU_S
    assert max(map(peak_mb, readers)) < MOST_MB


def test_what_a_spreadsheet_would_compute_is_no_formula_in_the_table_of_rejections(
    system: System,
) -> None:
    status, told = post(system, FORMS["formulas"][0]())
    assert status == 202
    checked(system, told["id"])
    key = f"Bearer {system.demo['api_key']}"
    table = system.call(f"/api/v1/bulks/{told['id']}/rejections.csv", Authorization=key).text
    cells = [cell for line in table.splitlines() for cell in line.split(",")]
    assert len(table.splitlines()) == 6
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_there_are_a_hundred_of_them() -> None:
    assert len(CASES) >= 100
    assert zipfile.is_zipfile(io.BytesIO(lying_sizes()))
