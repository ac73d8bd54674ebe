"""What must hold of any octets: nothing is raised but Malformed, and each quick way reads as the
slow one does."""

from ussdapp.core.mo_parts import joined
from ussdapp.wire import pdu
from ussdapp.wire.answers import answered_run
from ussdapp.wire.bodies import Delivered, read_data, read_delivered
from ussdapp.wire.fields import maybe_msisdn
from ussdapp.wire.long_mo import place_of, without_header
from ussdapp.wire.receipt_run import ReceiptRun, receipt_run
from ussdapp.wire.receipt_text import decoded, read_receipt, text_of
from ussdapp.wire.usual_receipt import usual_receipt
from ussdapp.wire.window import Answered

CAP = 2048
SUBMIT_RESP = pdu.SUBMIT_SM | pdu.RESPONSE


def stream(octets: bytes) -> None:
    """Octets from an SMSC, in pieces and whole; the first one says how long the pieces are."""
    size, octets = octets[0] % 97 + 1 if octets else 1, octets[1:]
    whole = pdu.cut(octets, CAP)
    consumed = sum(16 + len(one.body) for one in whole.pdus)
    assert octets[:consumed] == b"".join(pdu.encode(*one) for one in whole.pdus)
    assert as_the_reader(octets) == (list(map(told, whole.pdus)), whole.rest, whole.broken)
    pieces, rest, broken = [], b"", None
    for at in range(0, len(octets), size):
        found, rest, broken = as_the_reader(rest + octets[at : at + size])
        pieces += found
        if broken is not None:
            break
        assert len(rest) < CAP, "a PDU waits for its end, and no more than one"
    assert (pieces, broken) == (list(map(told, whole.pdus)), whole.broken)
    for one in whole.pdus:
        for read in (read_delivered, read_data):
            try:
                delivery(read(one.body))
            except pdu.Malformed:
                continue


def as_the_reader(data: bytes) -> tuple[list[object], bytes, int | None]:
    """What a bind reads: answers and receipts in a row at once, the rest one by one."""
    heard: list[object] = []
    at, broken = 0, None
    while broken is None:
        if run := answered_run(data, at):
            assert run.end > at
            heard += zip(run.sequences, run.answers, strict=True)
            at = run.end
            continue
        if receipts := receipt_run(data, at):
            heard += same_as_each(data[at : receipts.end], receipts)
            at = receipts.end
            continue
        pdus, at, broken = pdu.cut_from(data, at, CAP, SUBMIT_RESP)
        if not pdus:
            break
        heard += map(told, pdus)
    return heard, data[at:], broken


def same_as_each(octets: bytes, run: ReceiptRun) -> list[pdu.Pdu]:
    """The PDUs of a run, each of which is read as the run reads it."""
    whole = pdu.cut(octets, CAP)
    assert (whole.rest, whole.broken) == (b"", None)
    columns = zip(run.sequences, run.msisdns, run.ids, run.rests, strict=True)
    for one, (sequence, msisdn, message_id, rest) in zip(whole.pdus, columns, strict=True):
        assert one[:3] == (pdu.DELIVER_SM, 0, sequence)
        assert usual_receipt(one.body) == (msisdn.digits, message_id, run.told[rest])
    return whole.pdus


def told(one: pdu.Pdu) -> object:
    if one.command != SUBMIT_RESP:
        return one
    return one.sequence, Answered(one.status, one.body.partition(b"\0")[0].decode("latin-1"))


def delivery(delivered: Delivered) -> None:
    """A message from an SMSC, however it is marked."""
    for detect in ("marks", "text"):
        receipt = read_receipt(delivered, detect)
        if receipt is not None:
            assert receipt.state == receipt.state.upper()
            moment = receipt.submitted_on
            assert moment is None or moment.tzinfo is not None
    text_of(delivered)
    place = place_of(delivered)
    if place is not None:
        assert 1 <= place.number <= place.total
        octets = without_header(delivered)
        joined({place.number: (octets, delivered.data_coding)}, decoded)


def receipt(octets: bytes) -> None:
    """The body of a deliver_sm, and the same octets as a message with the marks of a receipt."""
    try:
        delivered = read_delivered(octets)
    except pdu.Malformed:
        assert usual_receipt(octets) is None
    else:
        delivery(delivered)
        same_by_both(octets, delivered)
    esm_class, coding = (octets[0], octets[1]) if len(octets) > 1 else (4, 0)
    middle = len(octets) // 2
    tlvs = {pdu.TLV_RECEIPTED_ID: octets[middle:], pdu.TLV_MESSAGE_STATE: octets[2:3]}
    for message in (octets[2:], octets[2:middle]):
        delivery(Delivered("255754000001", "15200", esm_class, coding, message, {}))
        delivery(Delivered("255754000001", "15200", 4, coding, message, tlvs))


def same_by_both(octets: bytes, delivered: Delivered) -> None:
    """What the quick way reads of a receipt, the tolerant one reads too."""
    usual = usual_receipt(octets)
    if usual is None:
        return
    tolerant = read_receipt(delivered)
    msisdn = maybe_msisdn(delivered.source_addr)
    assert tolerant is not None
    assert msisdn is not None
    digits, message_id, told = usual
    assert (digits, message_id) == (msisdn.digits, tolerant.message_id)
    assert told[:3] == (tolerant.state, tolerant.error, tolerant.submitted_on)
