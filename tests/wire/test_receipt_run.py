"""Receipts in a row are read as each of them is."""

from collections.abc import Sequence

import pytest

from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, SubmitFields, submit_body
from ussdapp.wire.receipt_run import receipt_run
from ussdapp.wire.usual_receipt import usual_receipt

TEXT = "id:{} sub:001 dlvrd:001 submit date:2611201200 done date:2611201200 stat:{} err:000 text:{}"
STATES = {"DELIVRD": b"\2", "UNDELIV": b"\5"}


def body(
    message_id: str,
    state: str = "DELIVRD",
    digits: str = "255754000001",
    text: str = "Habari",
    said_again: str | None = None,
    *,
    tlvs: bool = True,
    esm_class: int = 4,
) -> bytes:
    message = TEXT.format(message_id, state, text).encode()
    again = {0x1E: (said_again or message_id).encode() + b"\0", 0x427: STATES.get(state, b"\2")}
    source, destination = Address(1, 1, digits), Address(0, 0, "15200")
    return submit_body(
        SubmitFields(source, destination, message, 0, esm_class, tlvs=again if tlvs else {})
    )


def sent(bodies: Sequence[bytes]) -> bytes:
    return b"".join(
        pdu.encode(pdu.DELIVER_SM, 0, number, one) for number, one in enumerate(bodies, 7)
    )


@pytest.mark.parametrize("tlvs", [True, False])
def test_many_in_a_row_are_read_as_each_is(*, tlvs: bool) -> None:
    bodies = [
        body(f"{number:08x}", ("DELIVRD", "UNDELIV")[number % 3 == 0],
             f"255{754000000 + number}", f"text{number % 10}", tlvs=tlvs)
        for number in range(300)
    ]  # fmt: skip
    octets = sent(bodies)
    run = receipt_run(b"before" + octets + b"behind", 6)
    assert run is not None
    assert run.end == 6 + len(octets)
    assert run.sequences == list(range(7, 307))
    told = [run.told[rest] for rest in run.rests]
    digits = [one.digits for one in run.msisdns]
    assert list(zip(digits, run.ids, told, strict=True)) == [usual_receipt(one) for one in bodies]


@pytest.mark.parametrize(
    "odd",
    [
        body("0000000a", said_again="0000000b"),
        body("0000000a", "DELIVRD")[:-1] + b"\5",
        body("0000000a", digits="255354000001"),
        body("0000 00a"),
        body("0000000a")[:-5].replace(b"0000000a\0", b"0000000aa") + b"\x04\x27\0\1\2",
        body("0000000a").replace(b"sub:", b"Sub:"),
        body("0000000a").replace(b"15200", b"15201"),
        body("0000000a").replace(b" text:", b" tixt:"),
    ],
    ids=["id", "state", "msisdn", "blank", "unended", "key", "destination", "text"],
)
def test_one_that_is_not_alike_is_left_to_the_reading_of_any_pdu(odd: bytes) -> None:
    plain = [body(f"{number:08x}") for number in range(20)]
    assert len(odd) == len(plain[0])
    octets = sent([*plain[:10], odd, *plain[10:]])
    run = receipt_run(octets, 0)
    # none where what stands among the first sixteen cannot be told apart before all are read
    assert run is None or run.end == len(sent(plain[:10]))
    assert receipt_run(sent([odd, *plain]), 0) is None or usual_receipt(odd) is not None


@pytest.mark.parametrize("before", [4, 16, 20, 80, 100])
@pytest.mark.parametrize("many", [1, 50, 100])
def test_texts_of_citizens_among_receipts_are_none(before: int, many: int) -> None:
    receipts = [body(f"{number:08x}") for number in range(before)]
    texts = [body(f"{number:08x}", esm_class=0) for number in range(many)]
    run = receipt_run(sent([*receipts, *texts]), 0)
    assert run is None or run.end <= len(sent(receipts))


@pytest.mark.parametrize("message_id", ["null", "NULL"])
def test_a_word_for_no_id_is_none(message_id: str) -> None:
    assert receipt_run(sent([body("a0b1")] * 5 + [body(message_id)] * 5), 0) is None


def test_a_few_are_not_worth_it() -> None:
    assert receipt_run(sent([body("0000000a")] * 3), 0) is None
    assert receipt_run(sent([body("0000000a")] * 4)[:-1], 0) is None
    assert receipt_run(sent([body("0000000a")] * 4), 0) is not None


def test_what_is_no_deliver_sm_begins_no_run() -> None:
    octets = sent([body("0000000a")] * 5)
    for head in (b"", octets[:15], pdu.encode(pdu.ENQUIRE_LINK, 0, 1) + octets, b"\0" * 400):
        assert receipt_run(head, 0) is None
