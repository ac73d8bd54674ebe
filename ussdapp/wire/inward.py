"""Knows what the messages that a bind brings are to the gateway: receipts, MO texts, keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import repeat
from typing import Final, Literal

import structlog

from ussdapp.core.inbound import Mo, Receipt
from ussdapp.core.mo_parts import MoPart
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import OPTED_OUT
from ussdapp.core.status import Status
from ussdapp.wire.bodies import Delivered
from ussdapp.wire.fields import digest, kept_id, maybe_msisdn, short
from ussdapp.wire.keeper import Arrived
from ussdapp.wire.long_mo import Place, place_of, without_header
from ussdapp.wire.pdu import DELIVER_SM
from ussdapp.wire.receipt_run import receipt_run
from ussdapp.wire.receipt_text import CODINGS, Detect, ReceiptText, read_receipt, text_of
from ussdapp.wire.ussd_tlvs import is_ussd
from ussdapp.wire.usual_receipt import usual_receipt

Alphabet = Literal["gsm7", "latin1", "utf8"]  # what a channel's data_coding 0 is
_DEFAULT_CODING: Final = 0
_log = structlog.get_logger()


@dataclass(slots=True)
class Sorted:
    """What came, by who keeps it; each in the order it came."""

    receipts: list[Receipt] = field(default_factory=list)
    mos: list[Mo | MoPart] = field(default_factory=list)
    keyed: list[Delivered] = field(default_factory=list)


class Inward:
    """Reads what comes on the binds of one channel. `states` are statuses by `stat` of a receipt;
    what it lacks is doubt. `opted_out` are those `err` that say why."""

    def __init__(
        self,
        channel: str,
        states: Mapping[str, Status],
        detect: Detect,
        alphabet: Alphabet,
        opted_out: Collection[str] = (),
    ) -> None:
        self._channel, self._states, self._detect = channel, states, detect
        self._opted_out = opted_out
        self._coding = CODINGS[alphabet]
        self._told = lru_cache(1024)(self._looked_up)

    def usual(self, body: bytes) -> Receipt | None:
        """The receipt of a deliver_sm in the usual form, None for any other."""
        usual = usual_receipt(body)
        if usual is None:
            return None
        digits, message_id, told = usual
        status, code = self._told(told.state, told.error)
        msisdn = Msisdn(digits)
        return Receipt(self._channel, message_id, status, code, msisdn, told.submitted_on)

    def usual_run(self, data: bytes, at: int) -> tuple[list[Arrived], int] | None:
        """The deliver_sm in a row from `at` on that are receipts in the usual form, and where they
        end; None where there are none."""
        run = receipt_run(data, at)
        if run is None:
            return None
        channel, made = self._channel, tuple.__new__
        means = {
            rest: (*self._told(one.state, one.error), one.submitted_on)
            for rest, one in run.told.items()
        }
        # as Receipt(...), in half the time
        receipts = [
            made(Receipt, (channel, message_id, status, code, msisdn, on))
            for message_id, msisdn, (status, code, on) in zip(
                run.ids, run.msisdns, map(means.__getitem__, run.rests), strict=True
            )
        ]
        return list(zip(repeat(DELIVER_SM), run.sequences, receipts)), run.end

    def sort(self, came: list[Delivered | Receipt], *, with_ussd: bool) -> Sorted:
        """All of it read; keys are told apart only where the channel carries dialogues."""
        found = Sorted()
        for one in came:
            if isinstance(one, Receipt):
                found.receipts.append(one)
            elif receipt := read_receipt(one, self._detect):
                self._add_receipt(one.source_addr, receipt, found)
            elif with_ussd and is_ussd(one):
                found.keyed.append(one)
            else:
                found.mos.append(self._text(one))
        return found

    def _add_receipt(self, source: str, receipt: ReceiptText, found: Sorted) -> None:
        if not receipt.message_id:
            # nothing can ever match it, and the SMSC would bring it for ever
            _log.warning("smpp.receipt_without_id", channel=self._channel)
            return
        status, code = self._told(receipt.state, receipt.error)
        found.receipts.append(
            Receipt(
                account=self._channel,  # not the bind: a receipt may come on any of the account
                message_id=kept_id(receipt.message_id),
                status=status,
                code=code,
                msisdn=maybe_msisdn(source),
                submitted_on=receipt.submitted_on,
            )
        )

    def _looked_up(self, state: str, error: str) -> tuple[Status, str]:
        code = OPTED_OUT if error in self._opted_out else short(f"{state} {error}")
        return self._states.get(state, Status.IN_DOUBT), code

    def _text(self, one: Delivered) -> Mo | MoPart:
        if one.data_coding == _DEFAULT_CODING and self._coding != _DEFAULT_CODING:
            one = replace(one, data_coding=self._coding)
        place = place_of(one)
        return self._mo(one) if place is None else self._mo_part(one, place)

    def _mo_part(self, delivered: Delivered, place: Place) -> MoPart:
        sender = short(delivered.source_addr)
        return MoPart(
            channel=self._channel,
            sender=sender,
            msisdn=maybe_msisdn(sender),
            short_code=short(delivered.destination_addr),
            reference=place.reference,
            total=place.total,
            number=place.number,
            octets=without_header(delivered),
            data_coding=delivered.data_coding,
        )

    def _mo(self, delivered: Delivered) -> Mo:
        sender, short_code = short(delivered.source_addr), short(delivered.destination_addr)
        text = text_of(delivered)
        return Mo(
            channel=self._channel,
            key=digest(self._channel, sender, short_code, text),
            sender=sender,
            msisdn=maybe_msisdn(sender),
            short_code=short_code,
            text=text,
            keyed_by_content=True,  # SMPP gives a deliver_sm no id
        )
