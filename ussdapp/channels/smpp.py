"""An operator's SMSC over SMPP: Protocol Specification v3.4, issue 1.2 (October 1999).

Not a company but what all of them speak; how one deviates is said by its options.
"""

import hashlib
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import structlog

from ussdapp.core import parts
from ussdapp.core.inbound import Mo, Receipt
from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted
from ussdapp.wire.bodies import Address, Delivered, Login
from ussdapp.wire.held import HeldBind, binder
from ussdapp.wire.long_text import text_bodies
from ussdapp.wire.numbering import read_msisdn
from ussdapp.wire.pace import Pace
from ussdapp.wire.pulse import Limits
from ussdapp.wire.receipt_text import Detect, ReceiptText, read_receipt, text_of
from ussdapp.wire.smpp_options import flag, positive, read, read_login, read_tls
from ussdapp.wire.window import Answer, Answered, Nacked, Unwritten

_log = structlog.get_logger()
OnReceipts = Callable[[list[Receipt]], None]
OnMos = Callable[[list[Mo]], None]

# command_status of submit_sm_resp (table 5-2). What the table lacks is doubt.
STATUSES: Final[Mapping[int, Outcome]] = {
    # this PDU will never pass
    0x01: Rejected("ESME_RINVMSGLEN"),
    0x02: Rejected("ESME_RINVCMDLEN"),
    0x03: Rejected("ESME_RINVCMDID"),
    0x06: Rejected("ESME_RINVPRTFLG"),
    0x07: Rejected("ESME_RINVREGDLVFLG"),
    0x0A: Rejected("ESME_RINVSRCADR"),
    0x0B: Rejected("ESME_RINVDSTADR"),
    0x43: Rejected("ESME_RINVESMCLASS"),
    0x48: Rejected("ESME_RINVSRCTON"),
    0x49: Rejected("ESME_RINVSRCNPI"),
    0x50: Rejected("ESME_RINVDSTTON"),
    0x51: Rejected("ESME_RINVDSTNPI"),
    0x65: Rejected("ESME_RX_P_APPN"),
    0x66: Rejected("ESME_RX_R_APPN"),
    0xC0: Rejected("ESME_RINVOPTPARSTREAM"),
    0xC1: Rejected("ESME_ROPTPARNOTALLWD"),
    0xC2: Rejected("ESME_RINVPARLEN"),
    0xC3: Rejected("ESME_RMISSINGOPTPARAM"),
    0xC4: Rejected("ESME_RINVOPTPARAMVAL"),
    # they only ask for patience
    0x04: Deferred("ESME_RINVBNDSTS", 30.0),  # a transmitter's matter: the bind, not the part
    0x14: Deferred("ESME_RMSGQFUL", 60.0),
    0x58: Deferred("ESME_RTHROTTLED", 2.0),
    # not taken this time; tried again, and counted so that it ends
    0x08: Deferred("ESME_RSYSERR", 15.0, counts=True),
    0x45: Deferred("ESME_RSUBMITFAIL", 15.0, counts=True),
    0x64: Deferred("ESME_RX_T_APPN", 15.0, counts=True),
}
# `stat` of a receipt (appendix B) and what operators write instead. What it lacks is doubt.
STATES: Final[Mapping[str, Status]] = {
    "DELIVRD": Status.DELIVERED,
    "EXPIRED": Status.EXPIRED,
    "DELETED": Status.UNDELIVERED,
    "UNDELIV": Status.UNDELIVERED,
    "FAILED": Status.UNDELIVERED,  # six letters; in no table of the specification
    "REJECTD": Status.REJECTED,
    # taken, and not yet on the handset
    "ACCEPTD": Status.SUBMITTED,
    "ENROUTE": Status.SUBMITTED,
    "SCHEDULED": Status.SUBMITTED,
    "ACKED": Status.SUBMITTED,
    "BUFFRED": Status.SUBMITTED,
    "BUFFERD": Status.SUBMITTED,
}
_UNBOUND: Final = Deferred("unbound", 5.0)
_TORN: Final = Rejected("part_refused")
_RETRIES: Final = 3  # of the parts still missing when others of the same text were taken
_BETWEEN: Final = 1.0  # seconds between them
_UDHI: Final = 0x40
_SHORT_CODE: Final = 8  # digits at most; longer is an MSISDN
_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(slots=True)
class _Row:
    """One submission under way: the bodies of its parts, and what became of each."""

    bodies: Sequence[bytes]
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def torn(self) -> bool:
        """Some parts were taken, and the others may be tried again."""
        kinds = set(map(type, self.outcomes))
        return kinds == {Submitted, Deferred}

    def folded(self) -> Outcome:
        """One outcome for all parts: doubt first, then refusal."""
        outcomes = self.outcomes
        for outcome in outcomes:
            if isinstance(outcome, InDoubt):
                return outcome
        taken = [outcome for outcome in outcomes if isinstance(outcome, Submitted)]
        if taken:
            ids = tuple(spelt for outcome in taken for spelt in outcome.message_ids)
            return Submitted(ids) if len(taken) == len(outcomes) else _TORN
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                return outcome
        return max((o for o in outcomes if isinstance(o, Deferred)), key=lambda o: o.pause)


class SmppChannel:
    """Submits through one bind, and gives the worker what comes back on it."""

    def __init__(self, name: str, options: "SmppOptions", clock: Callable[[], float]) -> None:
        self.name = name
        self.window = options.window
        self._options = options
        self._on_receipts: OnReceipts | None = None
        self._on_mos: OnMos | None = None
        self._references = count(options.first_reference)
        self._pace = Pace(options.tps, clock) if options.tps else None
        self._closing = threading.Event()
        make = binder(options.login, options.limits, self._keep, options.tls)
        self._held = HeldBind(make, clock, options.chance, options.rebind_s)

    # the bind

    def open(self, on_receipts: OnReceipts, on_mos: OnMos) -> None:
        """Says who keeps what comes in, before `keep_bound`. Both commit what they get, or raise:
        then nothing of it is answered as kept, and the SMSC brings it again."""
        self._on_receipts, self._on_mos = on_receipts, on_mos

    def keep_bound(self) -> float:
        """Binds if need be; returns the seconds after which a thread of the worker calls again:
        `while not stopping.wait(channel.keep_bound()): pass`."""
        return self._held.keep_bound()

    @property
    def bound(self) -> bool:
        """Whether the bind is up."""
        return self._held.bound

    def close(self) -> None:
        """Unbinds, for good."""
        self._closing.set()
        self._held.close()

    # submitting

    def ready(self) -> bool:
        """Whether a submit now has a chance."""
        return self.bound

    def submit(self, window: Sequence[Submission]) -> Sequence[Outcome]:
        """One outcome a row, in order; at most `window` parts are unanswered at a time."""
        rows = [self._rendered(submission) for submission in window]
        waiting = [row for row in rows if isinstance(row, _Row)]
        self._first_try(waiting)
        for _ in range(_RETRIES):
            torn = [row for row in waiting if row.torn]
            if not torn or self._closing.wait(_BETWEEN):
                break
            self._try_missing(torn)
        return [row.folded() if isinstance(row, _Row) else row for row in rows]

    def _first_try(self, rows: Sequence[_Row]) -> None:
        outcomes = iter(self._outcomes([body for row in rows for body in row.bodies]))
        for row in rows:
            row.outcomes = [next(outcomes) for _ in row.bodies]

    def _try_missing(self, rows: Sequence[_Row]) -> None:
        missing = [
            (row, place)
            for row in rows
            for place, outcome in enumerate(row.outcomes)
            if isinstance(outcome, Deferred)
        ]
        outcomes = self._outcomes([row.bodies[place] for row, place in missing])
        for (row, place), outcome in zip(missing, outcomes, strict=True):
            row.outcomes[place] = outcome

    def _outcomes(self, bodies: Sequence[bytes]) -> list[Outcome]:
        answers: list[Answer] = []
        for start in range(0, len(bodies), self.window):
            answers += self._held.submit(bodies[start : start + self.window], self._pace)
        return [_outcome(answer) for answer in answers]

    def _rendered(self, submission: Submission) -> _Row | Rejected:
        try:
            return _Row(self._bodies(submission))
        except parts.TooLong:
            return Rejected("too_long")
        except ValueError:
            return Rejected("sender_id")

    def _bodies(self, submission: Submission) -> list[bytes]:
        return text_bodies(
            submission.text,
            self._options.source(submission.sender_id),
            Address(1, 1, submission.msisdn.digits),
            next(self._references) & 0xFF,
        )

    # what comes in

    def _keep(self, delivered: list[Delivered]) -> bool:
        if self._on_receipts is None or self._on_mos is None:
            return False
        receipts: list[Receipt] = []
        mos: list[Mo] = []
        for one in delivered:
            receipt = read_receipt(one, self._options.detect)
            if receipt is None:
                mos.append(self._mo(one))
            elif receipt.message_id:
                receipts.append(self._receipt(one, receipt))
            else:
                # no id: nothing can ever match it, and the SMSC would bring it for ever
                _log.warning("smpp.receipt_without_id", channel=self.name)
        if receipts:
            self._on_receipts(receipts)
        if mos:
            self._on_mos(mos)
        return True

    def _receipt(self, delivered: Delivered, receipt: ReceiptText) -> Receipt:
        return Receipt(
            account=self.name,  # not the bind: a receipt may come on any bind of the account
            message_id=_id(receipt.message_id),
            status=STATES.get(receipt.state, Status.IN_DOUBT),
            code=_short(f"{receipt.state} {receipt.error}"),
            msisdn=_maybe_msisdn(delivered.source_addr),
        )

    def _mo(self, delivered: Delivered) -> Mo:
        sender, short_code = _short(delivered.source_addr), _short(delivered.destination_addr)
        text = text_of(delivered)
        # a part's header is in the key: two parts of one text may hold the same words
        header = delivered.short_message[:6].hex() if delivered.esm_class & _UDHI else ""
        spelt = f"{self.name}|{sender}|{short_code}|{header}|{text}"
        return Mo(
            channel=self.name,
            key=hashlib.sha256(spelt.encode("utf-8", "surrogatepass")).hexdigest(),
            sender=sender,
            msisdn=_maybe_msisdn(sender),
            short_code=short_code,
            text=text,
            keyed_by_content=True,  # SMPP gives a deliver_sm no id
        )


@dataclass(frozen=True, slots=True)
class SmppOptions:
    """What a configured channel says, read and checked."""

    login: Login
    limits: Limits
    window: int
    tps: float
    detect: Detect
    short_code_type: tuple[int, int]  # TON and NPI of a short code as source
    rebind_s: float
    tls: ssl.SSLContext | None
    chance: Callable[[], float]
    first_reference: int

    def source(self, sender_id: str) -> Address:
        """The source address: alphanumeric 5/0, MSISDN 1/1, short code 3/0 unless configured."""
        if not (sender_id.isascii() and sender_id.isdigit()):
            return Address(5, 0, sender_id)
        if len(sender_id) > _SHORT_CODE:
            return Address(1, 1, sender_id)
        return Address(*self.short_code_type, sender_id)


def build(name: str, options: Mapping[str, object]) -> SmppChannel:
    """The channel of that configuration: host, port, system_id, password (or password_file), and
    if need be bind_type, system_type, window (parts), tps (parts, 0 none), enquire_s, response_s,
    rebind_s, receipts_by_text, short_code_ton, short_code_npi, tls, ca_file. Connects nowhere.

    Raises ValueError naming the option that is missing or wrong.
    """
    return SmppChannel(name, read_options(options), time.monotonic)


def read_options(options: Mapping[str, object]) -> SmppOptions:
    """The options read and checked; raises ValueError."""
    draw = random.SystemRandom()
    return SmppOptions(
        login=read_login(options),
        limits=Limits(
            enquire_s=positive(options, "enquire_s", 30.0),
            response_s=positive(options, "response_s", 60.0),
        ),
        window=int(positive(options, "window", 100)),
        tps=read(options, "tps", float, 0.0),
        detect="text" if flag(options, "receipts_by_text") else "marks",
        short_code_type=(
            read(options, "short_code_ton", int, 3),
            read(options, "short_code_npi", int, 0),
        ),
        rebind_s=positive(options, "rebind_s", 1.0),
        tls=read_tls(options),
        chance=draw.random,
        first_reference=draw.randrange(256),
    )


def _outcome(answer: Answer) -> Outcome:
    match answer:
        case Answered(0, message_id):
            # taken; without an id no receipt will ever find it
            return Submitted((_id(message_id),) if message_id else ())
        case Answered(status, _):
            return STATUSES.get(status, InDoubt(f"{status:#x}"))
        case Nacked(status):
            # not understood, so not taken, whatever the status
            return STATUSES.get(status, Rejected(f"generic_nack {status:#x}"))
        case Unwritten():
            return _UNBOUND
        case _:
            return InDoubt("no_answer")


def _id(spelt: str) -> str:
    """An id as spelt; what is no id by its digest, alike in answer and receipt."""
    return spelt if _ID.fullmatch(spelt) else hashlib.sha256(spelt.encode()).hexdigest()


def _short(value: str) -> str:
    """At most 40 printable characters of a field that should hold an address or a code."""
    return "".join(char for char in value if char.isprintable()).strip()[:40]


def _maybe_msisdn(spelling: str) -> Msisdn | None:
    try:
        return read_msisdn(spelling)
    except NotAnMsisdn:
        return None
