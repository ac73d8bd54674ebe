"""The fuzzers' targets in the ordinary suite: their kept corpus, and a few hundred more."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from tests.fuzz.targets import SUBMIT_RESP, receipt, stream
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, SubmitFields, submit_body
from ussdapp.wire.usual_receipt import usual_receipt

CORPUS = Path(__file__).parent / "corpus"
MARKS = {"id": b"1234567890", "sub": b"001", "stat": b"DELIVRD", "err": b"000"}
STATES = {b"DELIVRD": 2, b"EXPIRED": 3, b"UNDELIV": 5, b"REJECTD": 8}


@pytest.mark.parametrize(("name", "target"), [("pdu", stream), ("receipt", receipt)])
def test_the_kept_corpus_is_read(name, target):
    paths = sorted((CORPUS / name).iterdir())
    assert len(paths) > 5
    for path in paths:
        target(path.read_bytes())


ids = st.one_of(
    st.integers(0, 10**12).map(lambda n: b"%d" % n),
    st.binary(max_size=8),
    st.text("0123456789abcdef-", max_size=70).map(str.encode),
)
answers = st.builds(
    pdu.encode,
    st.just(SUBMIT_RESP),
    st.sampled_from([0, 0, 0, 0, 0x58, 0xFF]),
    st.integers(0, 0x7FFFFFFF),
    ids.map(lambda spelt: spelt + b"\0"),
)
in_a_row = st.builds(
    lambda first, count, size: b"".join(
        pdu.encode(SUBMIT_RESP, 0, first + n, b"%0*d\0" % (size, n)) for n in range(count)
    ),
    st.integers(1, 1 << 30),
    st.integers(0, 90),
    st.integers(2, 12),
)
others = st.builds(
    pdu.encode,
    st.sampled_from([pdu.ENQUIRE_LINK, pdu.DELIVER_SM, pdu.DATA_SM, pdu.GENERIC_NACK, SUBMIT_RESP]),
    st.just(0),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=60),
)
streams = st.lists(st.one_of(answers, in_a_row, others, st.binary(max_size=20)), max_size=8)


@given(st.integers(0, 255), streams)
@settings(max_examples=examples(300), deadline=None)
def test_any_stream_is_read_alike_by_the_quick_way_and_in_pieces(size, pieces):
    stream(bytes((size,)) + b"".join(pieces))


def spelt(fields: dict[str, bytes], order: list[str], tail: bytes) -> bytes:
    dates = b"submit date:2611221253 done date:2611221254 "
    values = {**fields, "dlvrd": b"001"}
    parts = b"".join(b"%s:%s " % (name.encode(), values[name]) for name in ("id", "sub", "dlvrd"))
    ends = b"".join(b"%s:%s " % (name.encode(), values[name]) for name in order)
    return parts + dates + ends + b"text:" + tail


receipt_bodies = st.builds(
    lambda text, esm_class, coding, tlvs, source: (
        submit_body(
            SubmitFields(Address(1, 1, source), Address(0, 0, "15200"), text, coding, esm_class)
        )
        + tlvs
    ),
    st.builds(
        spelt,
        st.fixed_dictionaries(
            {
                "id": st.one_of(st.just(MARKS["id"]), st.binary(min_size=1, max_size=20)),
                "sub": st.sampled_from([b"001", b"null", b"1"]),
                "stat": st.sampled_from([*STATES, b"delivrd", b"null", b"0"]),
                "err": st.sampled_from([b"000", b"NULL", b"4-a", b""]),
            }
        ),
        st.sampled_from([["stat", "err"], ["err", "stat"]]),
        st.binary(max_size=40),
    ),
    st.sampled_from([4, 4, 4, 0, 0x44]),
    st.sampled_from([0, 0, 8, 3]),
    st.one_of(
        st.just(b""),
        st.just(pdu.write_tlvs({0x1E: MARKS["id"] + b"\0", 0x427: b"\2"})),
        st.just(pdu.write_tlvs({0x1E: b"7\0"})),
        st.binary(max_size=12),
    ),
    st.sampled_from(["255754000001", "+255754000001", "0754000001", "M-PESA"]),
)


@given(receipt_bodies)
@settings(max_examples=examples(400), deadline=None)
def test_a_receipt_is_read_alike_by_the_quick_way_and_the_tolerant_one(body):
    receipt(body)


@given(st.lists(st.tuples(receipt_bodies, st.integers(1, 40)), min_size=1, max_size=4))
@settings(max_examples=examples(300), deadline=None)
def test_receipts_in_a_row_are_read_as_each_is(rows):
    bodies = [one for body, times in rows for one in [body] * times]
    pdus = [pdu.encode(pdu.DELIVER_SM, 0, number, one) for number, one in enumerate(bodies)]
    stream(b"\x60" + b"".join(pdus))


@given(st.binary(max_size=300))
@settings(max_examples=examples(300), deadline=None)
def test_any_body_is_read_or_malformed(octets):
    receipt(octets)


def test_the_usual_receipt_is_read_by_the_quick_way():
    text = spelt(MARKS, ["stat", "err"], b"")
    fields = SubmitFields(Address(1, 1, "255754000001"), Address(0, 0, "15200"), text, 0, 4)
    parameters = pdu.write_tlvs({0x1E: MARKS["id"] + b"\0", 0x427: b"\2"})
    for body in (submit_body(fields), submit_body(fields) + parameters):
        usual = usual_receipt(body)
        assert usual is not None
        digits, message_id, told = usual
        assert (digits, message_id) == ("255754000001", "1234567890")
        assert told[:2] == ("DELIVRD", "000")
    assert usual_receipt(submit_body(fields) + parameters.replace(b"\2", b"\5")) is None
    assert usual_receipt(submit_body(fields)[:-1]) is None
