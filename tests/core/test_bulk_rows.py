"""Placeholders, header rows and rows of recipients, on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussdapp.core.bulk import BulkStatus, Rejection, Row, counted, needs_approval, standing
from ussdapp.core.notification import Class
from ussdapp.core.placeholders import folded, worded
from ussdapp.core.recipients import HeaderRefused, RowCheck, Texts, columns
from ussdapp.core.status import Status
from ussdapp.wire.numbering import read_msisdn

NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=10)


def check(text: str) -> RowCheck:
    return RowCheck(Texts(worded(text)), read_msisdn, lambda _: "sandbox")


def test_a_placeholder_is_filled_wherever_it_stands_and_however_it_is_spelt() -> None:
    text = worded("((Jina)), 5%: ((kiasi)) ((JI NA)) ((x)")
    assert text.names == ("Jina", "kiasi")
    assert text.filled(["Asha %s", "((jina))"]) == "Asha %s, 5%: ((jina)) Asha %s ((x)"


@given(st.text())
def test_a_text_without_placeholders_stays_as_it_is(text: str) -> None:
    read = worded(text)
    assert read.names or read.filled([]) == text


@given(NAMES, st.sampled_from([" ", "_", "-", "\u00a0", "  "]))
def test_case_spaces_and_dashes_make_no_other_name(name: str, between: str) -> None:
    half = len(name) // 2
    assert folded(name[:half] + between + name[half:]) == folded(name)
    assert folded(f" {name} ") == folded(name)


@pytest.mark.parametrize(
    "header",
    [["to", "Jina Kamili"], ["Jina-kamili", "TO "], ["x", "jina_kamili", "Namba ya simu"],
     ["\ufeffTo", "JINA KAMILI"], ["MSISDN", "jinakamili", "", ""]],
    ids=["plain", "turned", "named in Kiswahili", "with a mark", "empty columns"],
)  # fmt: skip
def test_columns_are_found_however_they_are_spelt(header: list[str]) -> None:
    at = columns(header, ("jina_kamili",))
    assert folded(header[at.fields[0]]) == "jinakamili"
    assert folded(header[at.to]) in {"to", "msisdn", "nambayasimu"}


@pytest.mark.parametrize(
    ("header", "code"),
    [(["jina"], "no_to"), (["to"], "no_column"), (["to", "To", "jina"], "twice"),
     (["to", "jina", "JINA"], "twice"), ([], "no_to")],
    ids=["no MSISDN", "no name", "two MSISDNs", "two names", "nothing"],
)  # fmt: skip
def test_a_header_that_lacks_something_is_refused(header: list[str], code: str) -> None:
    with pytest.raises(HeaderRefused) as refused:
        columns(header, ("jina",))
    assert refused.value.code == code


def test_a_column_beside_them_may_come_twice() -> None:
    assert columns(["to", "maoni", "maoni"], ()).width == 3


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        (["255754000001"], [(2, "jina", "missing")]),
        (["255754000001", "Asha", "zaidi"], [(2, "row", "columns")]),
        (["2.55754E+11", "Asha"], [(2, "to", "rounded")]),
        (["", ""], [(2, "to", "missing"), (2, "jina", "missing")]),
        (["0222123456", "Asha"], [(2, "to", "msisdn")]),
        (["+254712345678", "Asha"], [(2, "to", "msisdn")]),
        (["255754000001", "A\x00sha"], [(2, "text", "characters")]),
        (["255754000001", "😀" * 700], [(2, "text", "too_long")]),
    ],
    ids=["short row", "long row", "rounded", "empty", "landline", "foreign", "NUL", "too long"],
)
def test_what_is_wrong_with_a_row_is_told(
    cells: list[str], wrong: list[tuple[int, str, str]]
) -> None:
    found = check("Ndugu ((jina))").row(2, cells, columns(["to", "jina"], ("jina",)))
    assert isinstance(found, list)
    assert [tuple(one[:3]) for one in found] == wrong
    assert all(cell not in one.message for one in found for cell in cells if cell)


@pytest.mark.parametrize(
    ("jina", "encoding", "parts"),
    [("Asha", "gsm7", 1), ("Zoë", "ucs2", 1), ("a" * 160, "gsm7", 2), ("€" * 80, "gsm7", 2)],
)
def test_a_good_row_is_what_will_be_sent(jina: str, encoding: str, parts: int) -> None:
    found = check("Ndugu ((jina))").row(7, [" 0754 000 001", f" {jina} ", ""], columns(
        ["to", "jina"], ("jina",)))  # fmt: skip
    assert isinstance(found, Row)
    assert (found.number, found.msisdn.digits, found.text) == (7, "255754000001", f"Ndugu {jina}")
    assert (found.encoding, found.parts, found.channel) == (encoding, parts, "sandbox")


def test_a_recipient_that_is_no_object_is_refused() -> None:
    one = check("a")
    assert one.recipient(1, ["255754000001"]) == [
        Rejection(1, "row", "type", "A recipient is an object.")
    ]
    assert isinstance(one.recipient(1, {"to": 255754000001}), Row)
    assert isinstance(one.recipient(1, {"to": True}), list)


@given(
    st.dictionaries(st.sampled_from([one.value for one in Status]), st.integers(0, 50)),
    st.integers(0, 80),
    st.sampled_from(BulkStatus),
)
def test_the_counts_always_add_up(
    found: dict[str, int], submitting: int, stored: BulkStatus
) -> None:
    counts = counted(found, submitting, stored)
    assert sum(counts.values()) == sum(found.values())
    assert min(counts.values()) >= 0
    if stored is BulkStatus.STOPPED:
        assert counts["queued"] == 0


@pytest.mark.parametrize(
    ("stored", "counts", "stands"),
    [
        (BulkStatus.CHECKING, {"queued": 3}, BulkStatus.CHECKING),
        (BulkStatus.QUEUED, {"queued": 3}, BulkStatus.QUEUED),
        (BulkStatus.QUEUED, {"queued": 2, "submitted": 1}, BulkStatus.SENDING),
        (BulkStatus.SENDING, {"submitting": 1, "submitted": 2}, BulkStatus.SENDING),
        (BulkStatus.SENDING, {"submitted": 2, "in_doubt": 1}, BulkStatus.FINISHED),
        (BulkStatus.STOPPED, {"submitting": 3}, BulkStatus.STOPPED),
    ],
)
def test_where_a_bulk_stands_follows_from_its_rows(
    stored: BulkStatus, counts: dict[str, int], stands: BulkStatus
) -> None:
    assert standing(stored, counts, 3) is stands


@pytest.mark.parametrize(
    ("klass", "rows", "needed"),
    [(Class.BULK, 10, False), (Class.BULK, 11, True), (Class.URGENT, 10, False)],
)
def test_above_the_limit_another_approves(klass: Class, rows: int, needed: bool) -> None:
    assert needs_approval(klass, rows, 10) is needed


def test_an_urgent_bulk_to_more_than_a_thousand_is_approved_whatever_the_limit() -> None:
    assert needs_approval(Class.URGENT, 1001, 2_000_000)
    assert not needs_approval(Class.URGENT, 1000, 2_000_000)
