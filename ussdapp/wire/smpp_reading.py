"""Knows what the octets are that come on an SMPP 3.4 bind.

SMPP Protocol Specification v3.4, issue 1.2 (October 1999), 3.2 and 4.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ussdapp.wire import pdu
from ussdapp.wire.answers import answered_run
from ussdapp.wire.bodies import Delivered, read_data, read_delivered
from ussdapp.wire.keeper import Arrived, Quick
from ussdapp.wire.pdu import Pdu
from ussdapp.wire.responses import Responses
from ussdapp.wire.window import Answer, Answered, Nacked

_SUBMIT_RESP: Final = pdu.SUBMIT_SM | pdu.RESPONSE


class Came(NamedTuple):
    """What is to be kept, how many octets were whole PDUs and how many begin another, and the
    sequence number of one whose length cannot be true: nothing after it can be read."""

    arrived: list[Arrived]
    whole: int
    rest: int
    broken: int | None


class Reading:
    """Gives answers to `responses`, deliver_sm and data_sm back, and every other PDU to `see_to`.
    The receipts that `quick` reads come instead of the deliver_sm they came in."""

    def __init__(
        self,
        responses: Responses,
        quick: Quick | None,
        pdu_octets: int,
        see_to: Callable[[Pdu], None],
        put: Callable[[int, int, int], None],
    ) -> None:
        self._responses, self._quick, self._pdu_octets = responses, quick, pdu_octets
        self._see_to, self._put = see_to, put
        self._rest = b""

    def take(self, data: bytes) -> Came:
        """What comes with those octets, after what came before. Raises Malformed for a body that
        cannot be read, or when the SMSC says that it lost our stream."""
        data, at = self._rest + data, 0
        arrived: list[Arrived] = []
        broken = None
        while broken is None:
            if run := answered_run(data, at):
                self._responses.give(run.sequences, run.answers)
                at = run.end
                continue
            if self._quick is not None and (receipts := self._quick.usual_run(data, at)):
                arrived += receipts[0]
                at = receipts[1]
                continue
            pdus, at, broken = pdu.cut_from(data, at, self._pdu_octets, _SUBMIT_RESP)
            if not pdus:
                break
            arrived += self._dispatch(pdus)
        self._rest = data[at:]
        return Came(arrived, at, len(self._rest), broken)

    def _dispatch(self, pdus: list[Pdu]) -> list[Arrived]:
        """Sees to them, but for what is to be kept."""
        arrived: list[Arrived] = []
        sequences: list[int] = []
        answers: list[Answer] = []
        for one in pdus:
            command, status, sequence, body = one
            if command == _SUBMIT_RESP:
                sequences.append(sequence)
                answers.append(Answered(status, body.partition(b"\0")[0].decode("latin-1")))
            elif command == pdu.DELIVER_SM:
                kept = self._quick.usual(body) if self._quick is not None else None
                arrived.append((command, sequence, kept or self._delivered(one)))
            elif command == pdu.DATA_SM:
                arrived.append((command, sequence, self._delivered(one)))
            else:
                if sequences:  # a nack may be of one of them
                    self._responses.give(sequences, answers)
                    sequences, answers = [], []
                if command == pdu.GENERIC_NACK:
                    self._nacked(one)
                else:
                    self._see_to(one)
        if sequences:
            self._responses.give(sequences, answers)
        return arrived

    def _delivered(self, one: Pdu) -> Delivered:
        try:
            return read_data(one.body) if one.command == pdu.DATA_SM else read_delivered(one.body)
        except pdu.Malformed:
            self._put(pdu.GENERIC_NACK, pdu.ESME_RINVMSGLEN, one.sequence)
            raise

    def _nacked(self, one: Pdu) -> None:
        if one.sequence == 0:
            raise pdu.Malformed("the SMSC lost our stream")  # no telling which PDU it means
        self._responses.give([one.sequence], [Nacked(one.status)])
