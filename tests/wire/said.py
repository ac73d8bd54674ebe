"""What the two ends of a bind say to each other in these tests."""

from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, SubmitFields, submit_body

SUBMIT_RESP = pdu.SUBMIT_SM | pdu.RESPONSE
DELIVER_RESP = pdu.DELIVER_SM | pdu.RESPONSE
OURS, THEIRS = Address(3, 0, "15200"), Address(1, 1, "255754000001")


def body(text: bytes = b"habari") -> bytes:
    return submit_body(SubmitFields(OURS, THEIRS, text))


def mo(text: bytes = b"MSAADA") -> bytes:
    return submit_body(SubmitFields(THEIRS, OURS, text))
