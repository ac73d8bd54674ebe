"""What the tests of SMPP begin with: rows to submit, and a worker that keeps what comes."""

from tests.wire.peer import Peer
from ussdapp.channels import smpp
from ussdapp.core.inbound import Mo, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.ports import Submission, Unavailable
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, SubmitFields, submit_body

LONG = "Ndugu mwananchi, ombi lako {1} limepokelewa. " * 9
SUBMIT_RESP = pdu.SUBMIT_SM | pdu.RESPONSE


def submission(
    place=1, text="Habari", sender_id="15200", attempt=1, taken=frozenset()
) -> Submission:
    msisdn = Msisdn(f"255754000{place:03}")
    return Submission(place, attempt, msisdn, text, sender_id, taken=taken)


class Worker:
    """What a worker does with a channel: keeps what comes, or cannot."""

    def __init__(self, port: int, **options: object) -> None:
        self.receipts: list[Receipt] = []
        self.mos: list[Mo] = []
        self.down = False
        given = {"host": "127.0.0.1", "port": port, "system_id": "ega", "password": "secret"}
        self.channel = smpp.build("vodacom", {**given, "response_s": 1, **options})
        self.channel.open(self._keep(self.receipts), self._keep(self.mos))

    def _keep(self, kept: list):
        def keep(came: list) -> None:
            if self.down:
                raise Unavailable
            kept.extend(came)

        return keep


def answer(peer: Peer, count: int, statuses: list[int]) -> list[bytes]:
    """Answers `count` submits, the first ones with those statuses; returns their bodies."""
    heard = peer.hear_all(count)
    for one, status in zip(heard, [*statuses, *[0] * count], strict=False):
        message_id = b"" if status else b"id-%d\0" % one.sequence
        peer.say(SUBMIT_RESP, status, one.sequence, message_id)
    return [one.body for one in heard]


def receipt(text: bytes, esm_class: int = 4) -> bytes:
    handset, code = Address(1, 1, "+255754000001"), Address(0, 0, "15200")
    return submit_body(SubmitFields(handset, code, text, esm_class=esm_class))


def part(
    number: int, octets: bytes, header: bytes = b"", tlvs: dict | None = None, coding: int = 0
) -> bytes:
    handset, code = Address(1, 1, "255754000001"), Address(0, 0, "15200")
    esm_class = 0x40 if header else 0
    fields = SubmitFields(handset, code, header + octets, coding, esm_class, tlvs=tlvs or {})
    return submit_body(fields)
