"""A bulk from its acceptance to the queue, on a real PostgreSQL."""

import io
import secrets
import zipfile

import pytest

from tests.fakes.bulks import AUTHOR, NOON, OTHER, SEAL, TESTER, Office, after, asked, recipients
from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.bulk import BulkStatus, NoSuchBulk, NotNow, OwnBulk
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class, Lane
from ussdapp.ports import Deferred, Submitted
from ussdapp.stores.bulk_blocks import A_PIECE, PgBulkBlocks, forget_lost

HEADER = "to,jina,kiasi\n"


def csv(count: int, bad: frozenset[int] = frozenset()) -> bytes:
    lines = [f"{'0800' if n in bad else 255_754_000_000 + n},Asha {n},{n}\n" for n in range(count)]
    return (HEADER + "".join(lines)).encode()


def test_every_good_recipient_becomes_one_notification(office: Office) -> None:
    number = office.send(recipients(2500))
    assert office.view(number).status is BulkStatus.CHECKING
    office.work()
    view = office.view(number)
    assert (view.status, view.total, view.accepted, view.rejected) == (
        BulkStatus.QUEUED, 2500, 2500, 0,
    )  # fmt: skip
    sent = office.sent(number)
    assert sent[7] == (8, "255754000007", "Ndugu Asha 7, bili yako ni TZS 7.")
    assert len({msisdn for _, msisdn, _ in sent}) == 2500
    assert office.bells.rung == ["sandbox"]
    assert office.holds()


def test_what_is_wrong_with_a_row_is_told_by_row_and_field(office: Office) -> None:
    given = [
        {"to": "255754000001", "jina": "Asha", "kiasi": "1"},
        {"to": "12", "jina": "Asha", "kiasi": "1"},
        {"to": "255754000003", "jina": " ", "kiasi": "1"},
        {"To": "0754000004", "JINA": "Juma", "Ki_asi": 5},
        {"to": "255754000005", "jina": "a" * 1600, "kiasi": "1"},
        "255754000006",
        {"to": "255754000007", "jina": "A\u0007sha", "kiasi": "1"},
        {"jina": "Asha"},
    ]
    number = office.send(given)
    office.work()
    assert office.rejected(number) == [
        (2, "to", "msisdn"), (3, "jina", "missing"), (5, "text", "too_long"), (6, "row", "type"),
        (7, "text", "characters"), (8, "to", "missing"), (8, "kiasi", "missing"),
    ]  # fmt: skip
    view = office.view(number)
    assert (view.accepted, view.rejected, view.total) == (2, 6, 8)
    assert [row for row, _, _ in office.sent(number)] == [1, 4]


def test_a_value_that_brings_a_link_or_an_ask_is_refused_with_its_row(office: Office) -> None:
    octets = (
        b"to,jina,kiasi\n255754000001,Asha M.,1.000\n255754000002,bit.ly/a,1\n"
        b"255754000003,Juma tuma PIN yako,1\n255754000004,Juma,www.tra.go.tz\n"
    )
    number = office.file(octets)
    office.work()
    assert office.rejected(number) == [(3, "text", "foreign_link"), (4, "text", "asks_secret")]
    assert [row for row, _, _ in office.sent(number)] == [2, 5]


def test_a_file_is_read_and_its_rows_numbered_as_a_spreadsheet_does(office: Office) -> None:
    number = office.file(csv(9000, frozenset({0, 4321, 8999})))
    office.work()
    assert [row for row, _, _ in office.rejected(number)] == [2, 4323, 9001]
    view = office.view(number)
    assert (view.total, view.accepted, view.rejected) == (9000, 8997, 3)
    assert sum(view.counts.values()) == view.accepted
    assert office.ask("SELECT count(*) FROM bulk_blocks") == [(0,)]
    assert office.holds()


def test_an_upload_that_was_never_finished_is_forgotten_after_an_hour(office: Office) -> None:
    waiting = office.file(csv(3))
    PgBulkBlocks(office.database, SEAL).keep_file(waiting + 1000, io.BytesIO(b"to\n"))
    office.ask("UPDATE bulk_blocks SET kept_at = %s RETURNING 1", NOON)
    left = "SELECT bulk_id FROM bulk_blocks ORDER BY 1"
    forget_lost(office.database, after(3599))
    assert office.ask(left) == [(waiting,), (waiting + 1000,)]
    forget_lost(office.database, after(3601))
    assert office.ask(left) == [(waiting,)]


def test_a_workbook_is_read_where_it_is_kept(office: Office) -> None:
    """In sealed blocks, of which this one takes several."""
    rows = [("to", "jina", "kiasi")]
    rows += [(str(255_754_000_000 + n), secrets.token_hex(50), str(n)) for n in range(12_000)]
    rows[5001] = ("0", "Asha", "1")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("xl/workbook.xml", '<workbook><sheets><sheet id="a"/></sheets></workbook>')
        folder.writestr(
            "xl/_rels/workbook.xml.rels", '<a><Relationship Id="a" Target="sheet.xml"/></a>'
        )
        folder.writestr("xl/sheet.xml", f"<worksheet>{''.join(map(_row, rows))}</worksheet>")
    assert len(file.getvalue()) > 2 * A_PIECE
    number = office.file(file.getvalue(), "rows.XLSX")
    office.work()
    view = office.view(number)
    assert (view.total, view.accepted) == (12_000, 11_999)
    assert office.rejected(number) == [(5002, "to", "msisdn")]
    assert office.sent(number)[-1][1] == "255754011999"


def _row(cells: tuple[str, ...]) -> str:
    written = (f'<c t="str"><v>{cell}</v></c>' for cell in cells)
    return f"<row>{''.join(written)}</row>"


def test_an_msisdn_that_comes_twice_is_sent_to_once(office: Office) -> None:
    # within a chunk, and across chunks
    octets = csv(4500) + b"0754000000,Asha,1\n255754000001,Asha,1\n+255 754 004 499,Asha,1\n"
    number = office.file(octets)
    office.work()
    assert [(row, code) for row, _, code in office.rejected(number)] == [
        (4502, "duplicate"), (4503, "duplicate"), (4504, "duplicate"),
    ]  # fmt: skip
    assert office.view(number).accepted == 4500


def test_where_it_is_asked_for_an_msisdn_is_sent_to_as_often_as_it_comes(office: Office) -> None:
    number = office.send(recipients(3) * 2, repeats=True)
    office.work()
    assert office.view(number).accepted == 6
    crowded = office.ask("SELECT crowded FROM notifications ORDER BY row_no")
    assert crowded == [(False,)] * 3 + [(True,)] * 3


def test_who_got_another_lately_is_marked(office: Office) -> None:
    office.send(recipients(3))
    office.work()
    number = office.send(recipients(5), after(60))
    office.work()
    query = "SELECT crowded FROM notifications WHERE bulk_id = %s ORDER BY row_no"
    assert office.ask(query, number) == [(True,)] * 3 + [(False,)] * 2


def test_nothing_is_queued_before_all_of_it_is_checked(office: Office) -> None:
    number = office.file(csv(9000))
    office.until(lambda: office.view(number).accepted > 0)
    assert office.view(number).status is BulkStatus.CHECKING
    lease = office.leases.take("sandbox", 1, NOON)
    assert lease
    assert office.journal.claim(lease, 100, NOON, Lane.BULK) == []
    assert office.holds()
    office.work()
    assert len(office.journal.claim(lease, 100, NOON, Lane.BULK)) == 100


def test_a_file_that_breaks_off_in_the_middle_sends_nothing(office: Office) -> None:
    number = office.file(csv(9000) + b'255754000001,"Asha,1\n')
    office.work()
    view = office.view(number)
    assert view.status is BulkStatus.STOPPED
    assert view.code == "unreadable"
    assert "quote" in view.detail
    assert view.counts["stopped"] == view.accepted
    assert office.ask("SELECT DISTINCT status FROM notifications") == [("stopped",)]
    assert office.holds()


def test_a_bulk_with_no_good_row_is_finished(office: Office) -> None:
    number = office.send([{"to": "1"}])
    office.work()
    view = office.view(number)
    assert (view.status, view.accepted, view.rejected) == (BulkStatus.FINISHED, 0, 1)


def test_the_same_key_is_the_same_bulk_and_another_body_is_refused(office: Office) -> None:
    first = office.send(recipients(3), key="k", body="a")
    assert office.send(recipients(3), key="k", body="a") == first
    with pytest.raises(AnotherBody):
        office.send(recipients(4), key="k", body="b")
    one = office.file(csv(3), key="f", body="a")
    assert office.file(csv(3), key="f", body="a") == one
    with pytest.raises(AnotherBody):
        office.file(csv(4), key="f", body="a")
    office.work()
    assert office.ask("SELECT count(*) FROM notifications") == [(6,)]


def test_above_the_limit_another_approves(office: Office) -> None:
    office.ask("UPDATE institutions SET approval_above = 2 RETURNING 1")
    number = office.send(recipients(3))
    office.work()
    assert office.view(number).status is BulkStatus.AWAITING_APPROVAL
    with pytest.raises(OwnBulk):
        office.bulks.approve("ega", number, f"key {AUTHOR.key_id}", NOON)
    with pytest.raises(NoSuchBulk):
        office.bulks.approve("tra", number, "key 9", NOON)
    late = after(26 * 3600)
    office.bulks.approve("ega", number, f"key {OTHER.key_id}", late)
    office.work(late)
    assert office.view(number).status is BulkStatus.QUEUED
    with pytest.raises(NotNow):
        office.bulks.approve("ega", number, f"key {OTHER.key_id}", late)
    # it lives from its approval on
    lease = office.leases.take("sandbox", 1, late)
    assert lease
    assert len(office.journal.claim(lease, 10, late, Lane.BULK)) == 3


def test_an_urgent_bulk_to_many_needs_another_in_any_case(office: Office) -> None:
    number = office.send(recipients(1001), klass=Class.URGENT)
    office.work()
    assert office.view(number).status is BulkStatus.AWAITING_APPROVAL


def test_what_is_scheduled_waits_for_its_time(office: Office) -> None:
    number = office.send(recipients(3), send_at=after(7200))
    office.work()
    lease = office.leases.take("sandbox", 1, NOON)
    assert lease
    assert office.journal.claim(lease, 10, after(7199), Lane.BULK) == []
    assert len(office.journal.claim(lease, 10, after(7201), Lane.BULK)) == 3
    assert office.view(number).status is BulkStatus.SENDING


def test_after_a_stop_no_row_is_claimed_any_more(office: Office) -> None:
    number = office.send(recipients(3000))
    office.work()
    lease = office.leases.take("sandbox", 1, NOON)
    assert lease
    window = office.journal.claim(lease, 100, NOON, Lane.BULK)
    deferred = office.journal.claim(lease, 50, NOON, Lane.BULK)
    office.journal.record(lease, [(row, Deferred("full", 1.0)) for row in deferred], NOON)
    view = office.stop("ega", number, "key 1", after(1))
    assert view.status is BulkStatus.STOPPED
    assert (view.counts["stopped"], view.counts["submitting"]) == (2900, 100)
    assert office.holds()
    assert office.journal.claim(lease, 3000, after(60), Lane.BULK) == []
    # of what was in the window, some was taken; what was deferred does not come back
    taken = [(row, Submitted(("1",))) for row in window[:60]]
    later = [(row, Deferred("full", 1.0)) for row in window[60:]]
    office.journal.record(lease, [*taken, *later], after(2))
    office.work(after(3))
    assert office.journal.claim(lease, 3000, after(600), Lane.BULK) == []
    counts = office.view(number).counts
    assert {name: n for name, n in counts.items() if n} == {"stopped": 2940, "submitted": 60}
    assert office.holds()
    assert office.stop("ega", number, "key 1", after(9)).status is BulkStatus.STOPPED


def test_a_bulk_is_stopped_while_it_is_checked(office: Office) -> None:
    number = office.file(csv(9000))
    office.until(lambda: office.view(number).accepted > 0)
    office.stop("ega", number, "key 1", NOON)
    office.work()
    view = office.view(number)
    assert view.status is BulkStatus.STOPPED
    assert view.counts["stopped"] == view.accepted > 0
    assert office.holds()


def test_what_a_test_key_sends_takes_no_channel(office: Office) -> None:
    office.accept.recipients(TESTER, asked(), recipients(2), NOON)
    office.work()
    assert office.ask("SELECT DISTINCT channel FROM notifications") == [("simulated",)]


def test_a_known_network_wins_over_the_prefix(office: Office) -> None:
    index = SEAL.index(Msisdn("255754000001"))
    office.ask("INSERT INTO networks VALUES (%s, 'airtel', 'inbound', now()) RETURNING 1", index)
    office.send([*recipients(3), {"to": "255700000000", "jina": "a", "kiasi": "1"}])
    office.work()
    found = office.ask("SELECT channel FROM notifications ORDER BY row_no")
    assert found == [("sandbox",), ("airtel",), ("sandbox",), ("simulated",)]
    assert sorted(office.bells.rung) == ["airtel", "sandbox", "simulated"]


def test_large_bulks_keep_no_small_one_waiting(office: Office) -> None:
    large = office.file(csv(20_000))
    office.importing(NOON)
    small = office.send(recipients(10, 255_713_000_000))
    office.until(lambda: office.view(small).status is BulkStatus.QUEUED)
    assert office.view(large).status is BulkStatus.CHECKING


def test_two_workers_share_the_work_and_double_nothing(office: Office) -> None:
    other = Office(office.database, office.url)
    numbers = [office.send(recipients(5000, 255_754_000_000 + 5000 * n)) for n in range(3)]
    while office.importing(NOON) | other.importing(NOON):
        pass
    other.close()
    assert [office.view(number).accepted for number in numbers] == [5000] * 3
    assert office.holds()


def test_one_that_was_sealed_with_another_key_is_stopped_and_the_next_is_checked(
    office: Office,
) -> None:
    spoilt, good = office.send(recipients(3)), office.send(recipients(3))
    office.ask("UPDATE bulks SET text_sealed = '' WHERE id = %s RETURNING 1", spoilt)
    office.work()
    view = office.view(spoilt)
    assert (view.status, view.code, view.detail) == (
        BulkStatus.STOPPED, "unchecked", "It could not be checked.",
    )  # fmt: skip
    assert len(office.sent(good)) == 3
    assert office.holds()


def test_the_counts_tell_how_fast_it_goes_and_when_it_ends(office: Office) -> None:
    number = office.send(recipients(100))
    office.work()
    lease = office.leases.take("sandbox", 1, NOON)
    assert lease
    window = office.journal.claim(lease, 40, NOON, Lane.BULK)
    office.journal.record(lease, [(row, Submitted(("1",))) for row in window], NOON)
    office.counts.refresh(after(10))
    view = office.view(number)
    assert (view.rate_per_s, view.eta_s) == (4.0, 15)
    window = office.journal.claim(lease, 100, NOON, Lane.BULK)
    office.journal.record(lease, [(row, Submitted(("1",))) for row in window], NOON)
    office.tick += 100
    office.counts.refresh(after(20))
    view = office.view(number)
    assert (view.status, view.rate_per_s, view.eta_s) == (BulkStatus.FINISHED, 5.0, 0)


def test_the_first_rows_are_shown_as_they_will_be_sent(office: Office) -> None:
    number = office.send(recipients(10))
    office.work()
    preview = office.bulks.preview("ega", number)
    assert len(preview) == 5
    assert preview[1] == {
        "row": 2, "to": "25575****001", "text": "Ndugu Asha 1, bili yako ni TZS 1.",
        "encoding": "gsm7", "parts": 1,
    }  # fmt: skip
