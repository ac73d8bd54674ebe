"""An operator's SMSC over SMPP: Protocol Specification v3.4, issue 1.2 (October 1999).

Not a company but what all of them speak; how one deviates is said by its options.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, cast

from ussdapp.channels.smpp.codes import STATES, STATUSES
from ussdapp.channels.smpp.rendering import Rendering
from ussdapp.channels.smpp.styles import STYLES
from ussdapp.core.inbound import Mo, Receipt
from ussdapp.core.mo_parts import MoPart
from ussdapp.core.notification import Lane
from ussdapp.ports import Outcome, Submission
from ussdapp.wire.bind_options import SmppOptions, read_smpp_options
from ussdapp.wire.bodies import Delivered
from ussdapp.wire.held import HeldBind, binder
from ussdapp.wire.inward import Inward
from ussdapp.wire.pace import Haste, Pace
from ussdapp.wire.part_outcomes import Sent
from ussdapp.wire.smpp import Extras
from ussdapp.wire.ussd_dialogues import Answering, UssdDialogues
from ussdapp.wire.verdicts import Verdicts, is_nack, patient
from ussdapp.wire.window import Answer

OnReceipts = Callable[[list[Receipt]], None]
OnMos = Callable[[list[Mo | MoPart]], None]
_SOON_S: Final = 5.0  # what may wait for the pace before it is looked at again
_Tag = tuple[Sent, int]  # rows that left together, and the place of one body among theirs


class SmppChannel:
    """Submits through one bind, and gives the worker what comes back on it."""

    def __init__(
        self,
        name: str,
        options: SmppOptions,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.name = name
        self.window = options.window
        self._on_receipts: OnReceipts | None = None
        self._on_mos: OnMos | None = None
        self._late: deque[tuple[_Tag, Answer]] = deque()
        self._pace = Pace(options.tps, clock)
        self._rendering = Rendering(options, now)
        self._dialogues: UssdDialogues | None = None
        if options.ussd is not None:
            self._dialogues = UssdDialogues(name, *options.ussd, self._submit_screen)
        self._verdicts = Verdicts({**STATUSES, **options.statuses})
        states = {**STATES, **options.states}
        self._inward = Inward(name, states, options.detect, options.alphabet, options.errors)
        extras = Extras(self._on_late, self._inward, self._pace)
        make = binder(options.login, options.limits, self._keep, options.tls, extras)
        self._held = HeldBind(make, clock, options.chance, options.rebind_s)

    # the bind

    def open(
        self, on_receipts: OnReceipts, on_mos: OnMos, answering: Answering | None = None
    ) -> None:
        """Says who keeps what comes in, before `keep_bound`. Both commit what they get, or raise:
        then nothing of it is answered as kept, and the SMSC brings it again. `answering` answers
        keys, in threads of this channel."""
        self._on_receipts, self._on_mos = on_receipts, on_mos
        if self._dialogues is not None and answering is not None:
            self._dialogues.open(answering)

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
        if self._dialogues is not None:
            self._dialogues.close()
        self._held.close()

    # submitting

    def ready(self) -> bool:
        """Whether a submit now has a chance."""
        return self.bound

    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        """One outcome a row, in order; at most `window` parts are unanswered at a time. Several
        threads may; express overtakes what the others have not written yet, in pace as well."""
        haste: Haste = "express" if lane is Lane.EXPRESS else "bulk"
        outcomes: list[Outcome] = []
        while len(outcomes) < len(window):
            # no more than may leave soon: what waits for the pace may expire meanwhile
            most = max(1, int(min(self._pace.rate * _SOON_S, len(window))))
            outcomes += self._submit_some(window[len(outcomes) :][:most], haste)
        return outcomes

    def _submit_some(self, window: Sequence[Submission], haste: Haste) -> Sequence[Outcome]:
        sent = Sent(window, self._rendering.all(window))
        each = list(self._verdicts.outcomes(self._held.submit(sent.bodies, haste, sent.tag)))
        self._once_more(sent, each, haste)
        outcomes = sent.outcomes(each)
        sent.over = True
        return patient(window, outcomes)

    def _once_more(self, sent: Sent, each: list[Outcome], haste: Haste) -> None:
        """What the SMSC could not read was not taken: written once more, then it is refused
        (faults.md row 43)."""
        places = [place for place, outcome in enumerate(each) if is_nack(outcome)]
        if places:
            bodies = [sent.bodies[place] for place in places]
            answers = self._held.submit(bodies, haste, lambda place: sent.tag(places[place]))
            for place, outcome in zip(places, self._verdicts.outcomes(answers), strict=True):
                each[place] = outcome

    def late(self) -> Sequence[tuple[Submission, Outcome]]:
        """What was answered after all, a submission once, of what was InDoubt; for one thread."""
        found: dict[int, tuple[Submission, Outcome]] = {}
        for _ in range(len(self._late)):
            tag, answer = self._late.popleft()
            sent, place = tag
            if sent.over:
                submission, outcome = sent.now(place, self._verdicts.outcome(answer))
                found[submission.id] = submission, outcome
            else:
                self._late.append((tag, answer))
        return list(found.values())

    def share(self, binds: int) -> None:
        """So many binds, this one among them, use the channel's TPS together."""
        self._pace.share(binds)

    def _on_late(self, tag: object, answer: Answer) -> None:
        self._late.append((cast("_Tag", tag), answer))

    def _submit_screen(self, body: bytes) -> Outcome:
        # outside the journal and the pace, ahead of what a bulk has not written yet
        return self._verdicts.outcome(self._held.submit([body], "screen")[0])

    # what comes in

    def _keep(self, delivered: list[Delivered | Receipt]) -> bool:
        if self._on_receipts is None or self._on_mos is None:
            return False
        found = self._inward.sort(delivered, with_ussd=self._dialogues is not None)
        if found.receipts:
            self._on_receipts(found.receipts)
        if found.mos:
            self._on_mos(found.mos)
        # last: what raised above comes again, and no key may be answered twice
        for one in found.keyed:
            assert self._dialogues is not None
            self._dialogues.take(one)
        return True


def build(name: str, options: Mapping[str, object]) -> SmppChannel:
    """The channel of that configuration: host, port, system_id, password (or password_file), and
    if need be bind_type, system_type, window (parts), tps (parts, 0 none), enquire_s, response_s,
    rebind_s, pdu_octets, receipts_by_text, short_code_ton, short_code_npi, tls, ca_file, long_text
    (udh, sar or payload), sar_references, validity (relative, absolute or off; what its SMSC reads
    of how long it may keep a text), alphabet (of data_coding 0 in what comes: gsm7, latin1 or
    utf8), and the operator's own words: tables `states` (what its `stat` means), `errors`
    (which `err` say that the citizen opted out) and `statuses` (what its command_status means:
    rejected, opted_out or deferred); for dialogues ussd_style, and if need be ussd_octets,
    ussd_code_in, ussd_service_type. Connects nowhere.

    Raises ValueError naming the option that is missing or wrong.
    """
    return SmppChannel(name, read_options(options), time.monotonic, _utc_now)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def read_options(options: Mapping[str, object]) -> SmppOptions:
    """The options read and checked; raises ValueError."""
    return read_smpp_options(options, STYLES)
