"""What use cases need of the world, each a promise that a fake and the real one keep alike."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ussdapp.core.back_office import (
    Asker,
    Claimed,
    Ended,
    HandedIn,
    LookedUp,
    Question,
    Relayed,
)
from ussdapp.core.branches import Files, MenuVersion, Publisher
from ussdapp.core.case import CaseView, NewCase, Reply, Transfer, Transferred
from ussdapp.core.case_history import CaseHistory, CasePage, Sought
from ussdapp.core.inbound import Institution, KeyHolder, Lease, Mo, Receipt
from ussdapp.core.menu import Menu
from ussdapp.core.mo_parts import MoPart
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Lane, Notification
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.reference import Reference
from ussdapp.core.resume import Draft
from ussdapp.core.session import Record
from ussdapp.core.templates import TemplateVersion
from ussdapp.core.webhook import Endpoint, Event, Posted


class Unavailable(Exception):
    """A store did not answer in time: nothing is known to have been kept."""


class ReferenceTaken(Exception):
    """Another case has that reference number; draw again."""


class NoSuchCase(LookupError):
    """The institution has no case with that reference number."""


class CaseClosed(Exception):
    """A closed case takes no reply."""


class NoSuchInstitution(LookupError):
    """Nobody has that short name."""


class SameInstitution(ValueError):
    """It has the case already."""


class NoSuchBranch(LookupError):
    """The publisher has no branch of that name."""


class NoSuchVersion(LookupError):
    """The branch has no such version, or none before the one that stands."""


class NoSuchWebhook(LookupError):
    """The institution has no webhook of that name."""


class TooManyWebhooks(Exception):
    """The institution has as many as it may."""


class Sessions(Protocol):
    """Remembers dialogues, each until its time to live is over, and for ten minutes what a
    citizen may be offered when dialling again. Raises Unavailable."""

    def kept(self, key: str) -> Record | None:
        """What is remembered under that key."""
        ...

    def begin(
        self, key: str, record: Record, citizen: Msisdn
    ) -> tuple[Record | None, Record | None]:
        """One round trip: what is kept under that key, or else the citizen's draft; where there
        is neither, keeps the record."""
        ...

    def exchange(self, key: str, before: Record | None, after: "After") -> Record | None:
        """One round trip: keeps `after` and does to the draft what it says, and returns None,
        when what is kept equals `before` or `after`, or nothing is kept; otherwise changes nothing
        and returns what is kept."""
        ...

    def claim(self, key: str) -> bool:
        """The right, given once in a minute, to tell an application what the key names."""
        ...

    def first_effect(self, key: str, effect: str) -> str:
        """The effect noted under that key first, within the last ten minutes; this one where there
        was none."""
        ...

    def tried(self, citizen: Msisdn, day: str, wrong: str = "") -> int:
        """How many different wrong references the citizen tried on that day (YYYYMMDD), this one
        among them if one is given."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class After:
    """What is to be kept of a dialogue, and what becomes of its citizen's draft."""

    record: Record
    citizen: Msisdn
    draft: Draft = Draft.LEFT


class Tries(Protocol):
    """Counts the wrong references that citizens try. Raises Unavailable."""

    def tried(self, citizen: Msisdn, day: str, wrong: str = "") -> int:
        """As Sessions.tried, of which it is a part: a citizen has one count for every way."""
        ...


class Offers(Protocol):
    """Knows durably in which dialogues a citizen was offered to go on. Raises Unavailable."""

    def make(self, key: str, at: datetime) -> None: ...

    def made(self, key: str) -> bool: ...


class Menus(Protocol):
    """Serves one menu to new dialogues and remembers those that running ones began with."""

    def current(self) -> Menu:
        """The menu that new dialogues get."""
        ...

    def pinned(self, version: str) -> Menu | None:
        """The menu of that version, or None when it is forgotten."""
        ...


class Hints(Protocol):
    """How recent dialogues began (core.hints), for one process: a forgotten one costs a round
    trip, a wrong one is found out. It holds no key that a citizen typed."""

    def get(self, key: str) -> Record | None:
        """How it began, None when that is not remembered."""
        ...

    def put(self, key: str, record: Record) -> None:
        """Remembers how the dialogue of that record began."""
        ...


class Dialogues(Protocol):
    """Knows durably that a dialogue began, and each citizen's language. Raises Unavailable."""

    def begin(self, key: str, channel: str, msisdn: Msisdn, at: datetime) -> str:
        """Records the beginning, a later one replacing one older than ten minutes; returns the
        citizen's language, `sw` unless another was remembered."""
        ...

    def began_at(self, key: str) -> datetime | None:
        """When that dialogue began, or None when no beginning was recorded."""
        ...

    def language(self, msisdn: Msisdn, otherwise: str = "sw") -> str:
        """The remembered one, else that."""
        ...

    def remember_language(self, msisdn: Msisdn, language: str, at: datetime) -> None: ...


class Languages(Protocol):
    """Knows the language each citizen chose. Raises Unavailable."""

    def speaking(self, language: str, msisdns: Collection[Msisdn]) -> frozenset[Msisdn]:
        """Those of them who chose that language, by one query."""
        ...


class Templates(Protocol):
    """Keeps institutions' templates, whose versions never change. Raises Unavailable."""

    def all(self, institution: str) -> tuple[TemplateVersion, ...]:
        """What stands of each, by name."""
        ...

    def of(self, institution: str, name: str) -> tuple[TemplateVersion, ...]:
        """The versions of one, the newest first. Raises NoSuchTemplate."""
        ...

    def found(self, institution: str, name: str, version: int | None) -> TemplateVersion:
        """That version, or the one that stands. Raises NoSuchTemplate."""
        ...

    def publish(
        self, institution: str, name: str, texts: tuple[str, str], by: str, at: datetime
    ) -> tuple[TemplateVersion, bool]:
        """Commits the Kiswahili and the English text as a version that stands from now on, and
        tells whether it is new: what stands already is not."""
        ...

    def roll_back(
        self, institution: str, name: str, to: int | None, by: str, at: datetime
    ) -> TemplateVersion:
        """Commits that version `to` stands, or the one before. Raises NoSuchTemplate,
        NoSuchVersion."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Addition:
    """Words that the MSISDN adds to the case it opened; `effect` makes them unique."""

    effect: str
    reference: Reference
    msisdn: Msisdn
    words: str
    at: datetime


class Replies(Protocol):
    """Keeps what institutions answer, with what is told of it, all or nothing."""

    def reply(
        self, reply: Reply, notify: Callable[[Msisdn, str, CaseView], Notification]
    ) -> tuple[CaseView, str | None]:
        """Commits the reply, its event and the notification `notify(msisdn, language, case)`
        makes of it, unless the case is anonymous; the same effect again changes nothing. Returns
        the case and the channel that now has work. Raises NoSuchCase, CaseClosed."""
        ...


class Transfers(Protocol):
    """Hands cases from one institution to another. Raises Unavailable."""

    def transfer(
        self, transfer: Transfer, notify: Callable[[Msisdn, str], Notification]
    ) -> tuple[Transferred, str | None]:
        """Commits that the case, as received, is the other institution's alone, and the
        notification `notify(msisdn, language)` makes of it, unless the case is anonymous; the
        last transfer of a case again changes nothing. Returns what became of it and the channel
        that now has work. Raises NoSuchCase, CaseClosed, NoSuchInstitution, SameInstitution."""
        ...


class CaseHistories(Protocol):
    """Shows institutions their cases; of another's there is nothing. Raises Unavailable."""

    def one(self, institution: str, reference: Reference) -> CaseHistory | None:
        """A case the institution has."""
        ...

    def is_cursor(self, shown: str) -> bool:
        """Whether a page may begin there."""
        ...

    def page(self, institution: str, sought: Sought, cursor: str | None, limit: int) -> CasePage:
        """The institution's cases older than the cursor, at most `limit` of them."""
        ...


class Cases(Replies, Protocol):
    """Keeps cases, with their events and what is told of them, all or nothing."""

    def file(self, case: NewCase, receipt: Notification | None) -> Reference:
        """Commits case, event and receipt notification together; the same effect again returns
        the first reference and keeps nothing. Raises ReferenceTaken, LookupError (institution)."""
        ...

    def view(self, reference: Reference, msisdn: Msisdn) -> CaseView | None:
        """The case if this MSISDN opened it; another's and none look the same."""
        ...

    def add(self, addition: Addition) -> CaseView | None:
        """Commits the words as an event of the case; the same effect again changes nothing. None
        where this MSISDN opened no such case. Raises CaseClosed."""
        ...


@dataclass(frozen=True, slots=True)
class KeptMo:
    """A text that is kept: its effect key, and whether all it causes was done before."""

    effect: str
    settled: bool


class Mos(Protocol):
    """Keeps every text that came in, before anything is done about it."""

    def keep(self, mo: Mo, at: datetime, within: timedelta = timedelta(seconds=60)) -> KeptMo:
        """Commits it; a repeat gets the first one's effect key, and tells whether that one was
        settled. Where the operator gives no id, the same content again `within` that time is a
        repeat."""
        ...

    def settle(
        self, effect: str, status: str, institution: str | None = None, keyword: str = ""
    ) -> None:
        """Notes what became of it: answered, over_cap, no_subscriber or handed_over; and whom it
        concerned, by which keyword, for their webhooks."""
        ...


class MoParts(Protocol):
    """Keeps the parts of long texts until their text is complete or given up."""

    def keep(self, parts: Sequence[MoPart], at: datetime) -> list[Mo]:
        """Commits them, a repeated one once; returns the texts that are complete and not ended."""
        ...

    def overdue(self, at: datetime) -> list[tuple[Mo, int]]:
        """Texts not ended ten minutes after their first part: what came of each, joined, and how
        many parts are missing."""
        ...

    def end(self, mo: Mo, at: datetime) -> None:
        """It was received: what comes of it from now on is a repeat."""
        ...


class Notifications(Protocol):
    """Accepts what is to be delivered, once each."""

    def accept(self, notification: Notification) -> bool:
        """Commits it as queued, its effect once. False when it is automatic and the MSISDN has had
        its share: then it is not accepted."""
        ...


class OptOuts(Protocol):
    """Remembers who wants no more texts; an institution of None means all of them."""

    def opt_out(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None: ...

    def opt_in(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None: ...

    def whose(self, sender_id: str) -> str | None:
        """The institution whose texts that sender ID means, None for those of all."""
        ...


class Institutions(Protocol):
    """Knows the institutions."""

    def all(self) -> tuple[Institution, ...]:
        """Every institution by short name."""
        ...

    def named(self, short_name: str) -> str | None:
        """The short name as kept, for any spelling of its case; None when nobody has it."""
        ...


Taken = tuple[tuple[int, str], ...]  # part, from 1, and its message id, "" where none was told


class Submission(NamedTuple):
    """A claimed and journaled row: what one channel is now to submit, but for the parts that the
    operator has `taken` already. `window` tells the claim it came with; from `expires_at` on not an
    octet of it is written."""

    id: int
    attempt: int
    msisdn: Msisdn
    text: str
    sender_id: str
    window: int = 0
    taken: frozenset[int] = frozenset()
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Submission({self.id}, attempt {self.attempt})"  # no MSISDN, no words


class Submitted(NamedTuple):
    """The operator took it; one message id, as it spelt them, for each part that was not taken
    before, in their order; "" for one it did not tell. Fewer where it tells one for the whole."""

    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never again: bad MSISDN, barred sender ID. `code` is the operator's. As in the other
    outcomes, `taken` are the parts it took all the same."""

    code: str
    taken: Taken = ()


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not taken, or not all of it; may be tried again after `pause` seconds. `counts` is false
    where the operator only asked for patience (throttled, queue full, unbound)."""

    code: str
    pause: float
    counts: bool = False
    taken: Taken = ()


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It left, or may have left, and no answer came that can be read."""

    code: str
    taken: Taken = ()


Outcome = Submitted | Rejected | Deferred | InDoubt


class Sending(Protocol):
    """A channel's ability to submit."""

    name: str
    window: int

    def ready(self) -> bool:
        """Whether a submit now has a chance (a bind is up)."""
        ...

    def submit(self, window: Sequence[Submission], lane: Lane | None = None) -> Sequence[Outcome]:
        """One outcome a row, in order; what is express overtakes bulk. What it does not know is
        InDoubt; it does not raise."""
        ...


class BoundSending(Sending, Protocol):
    """A channel as its worker holds it; where there is no bind, keeping it is nothing."""

    def open(self, on_receipts: Any, on_mos: Any, answering: Any) -> None:
        """Says who keeps what comes in on it, and who answers USSD."""
        ...

    def keep_bound(self) -> float:
        """Binds if need be; returns the seconds after which to call again."""
        ...

    def late(self) -> Sequence[tuple[Submission, Outcome]]:
        """What was answered after all since it was asked last, of what was InDoubt."""
        ...

    def share(self, binds: int) -> None:
        """So many binds, this one among them, use the channel's TPS together."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class Awaited:
    """What an operator took at that time under that message id, and has not reported on."""

    message_id: str
    msisdn: Msisdn
    taken_at: datetime


@runtime_checkable
class AsksReports(Protocol):
    """A channel whose operator tells what became of a text only when it is asked."""

    def expect(self, awaited: Sequence[Awaited], now: datetime) -> None:
        """Those that an earlier process submitted are asked for as well."""
        ...


class Journal(Protocol):
    """The journaled sender's truth: claims, attempts and answers, a window of rows at a time."""

    def claim(
        self,
        lease: Lease,
        most: int,
        now: datetime,
        lane: Lane | None = None,
        answered: Sequence[tuple[Submission, Outcome]] = (),
    ) -> list[Submission]:
        """Commits up to `most` due rows of a lane (None: of the first that has any) as
        `submitting`, highest class first and in turn between those who sent them, after expiring
        what is too old and rejecting what was opted out of; either is in doubt instead where an
        earlier copy is. What its MSISDN got too much of lately waits. With it goes what was
        `answered`, as by `record`: both or neither. Raises Fenced."""
        ...

    def record(
        self, lease: Lease, window: Sequence[tuple[Submission, Outcome]], now: datetime
    ) -> None:
        """Commits every row's answer, unless it had one; a late one as well. While another copy
        is in doubt a refusal is not final: the row is in doubt."""
        ...

    def settle(self, now: datetime) -> int:
        """Returns to `queued`, once, what is in doubt and due for its class's one further copy."""
        ...

    def due(self, now: datetime) -> list[str]:
        """The channels that have rows due."""
        ...


class Leases(Protocol):
    """Who may submit on a bind: one process at a time."""

    def take(self, channel: str, bind: int, now: datetime) -> Lease | None:
        """A new epoch, after putting in doubt what an earlier holder left `submitting`; None
        while another holder lives."""
        ...

    def renew(self, lease: Lease, now: datetime, *, bound: bool = True, share: float = 1.0) -> bool:
        """Tells that the holder lives and how its bind fares; False when a higher epoch ended the
        lease."""
        ...

    def bury(self, now: datetime) -> int:
        """Ends the leases of holders that died and puts their `submitting` rows in doubt."""
        ...


class Reroutes(Protocol):
    """Moves what waits on a channel that is down or unwell to its fallback."""

    def reroute(self, now: datetime) -> int:
        """Moves some; returns how many notifications."""
        ...


class Expiry(Protocol):
    """Ends what grew too old where nobody claims it."""

    def expire(self, now: datetime) -> int:
        """Ends some; returns how many notifications."""
        ...


class Networks(Protocol):
    """Remembers by which channel's network an MSISDN was heard of."""

    def inbound(self, msisdn: Msisdn, channel: str, at: datetime) -> None:
        """An inbound came from that network."""
        ...


class Fenced(Exception):
    """The lease was ended by a higher epoch: stop submitting."""


class Receipts(Protocol):
    """An inbox first, then the notifications they settle."""

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Commits them as they came."""
        ...

    def apply(self, now: datetime) -> int:
        """Moves notifications forward by the receipts not yet applied; what matches nothing yet
        stays parked. Returns how many were applied."""
        ...


class Doorbells(Protocol):
    """Tells a channel's worker that there is work. May be lost; never raises."""

    def ring(self, channel: str) -> None: ...


class OfficeUnavailable(Exception):
    """The institution was not asked, or it refused: nothing was taken."""


class OfficeGarbled(OfficeUnavailable):
    """It was asked, and what came back cannot be read: a summary may have been taken."""


class OfficeLate(Exception):
    """Its deadline passed: the answer may still come, and a summary may have been taken."""


class NobodysKeyword(LookupError):
    """The keyword is no institution's any more."""


class BackOffices(Protocol):
    """Asks institutions, each by the name its office has in the settings, such as `gepg.bill`.

    All raise OfficeLate, OfficeUnavailable and, of its kind, OfficeGarbled.
    """

    def look_up(self, office: str, data: str, asker: Asker) -> LookedUp:
        """What the office knows of one value; may be asked any number of times."""
        ...

    def hand_in(self, office: str, answers: Mapping[str, str], asker: Asker) -> HandedIn:
        """Posts what was answered; after OfficeLate or OfficeGarbled it may have been taken."""
        ...

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        """Gives an external application the latest key, None for the first hit."""
        ...


class Handovers(Protocol):
    """Hands citizens' texts to the institution whose keyword begins them. Raises Unavailable."""

    def institution(self, keyword: str) -> str | None:
        """Whose an allotted keyword, in capitals, is."""
        ...

    def hand_over(
        self, keyword: str, institution: str | None, told: Mapping[str, str], asker: Asker
    ) -> str | None:
        """That institution's answer to a text, None where it wants none sent. Raises
        NobodysKeyword, also where the keyword is another's by now, OfficeLate, OfficeUnavailable,
        OfficeGarbled; after OfficeLate and OfficeGarbled it may have been taken."""
        ...


class Questions(Protocol):
    """Keeps what institutions did not answer in time until it is answered. Raises Unavailable."""

    def keep(self, question: Question, at: datetime) -> bool:
        """Commits it, a look-up due now, a summary after a pause; the same effect again changes
        nothing. Tells whether it is new."""
        ...

    def claim(self, busy: Collection[str], now: datetime) -> Claimed | None:
        """Commits one due question of an office that is not busy as being asked; it is due again
        by itself when nothing is heard of it."""
        ...

    def postpone(self, claimed: Claimed, due: datetime, posts: int) -> None:
        """It is asked again then; `posts` is how often a summary may have been taken by now."""
        ...

    def end(self, claimed: Claimed, how: Ended, told: Notification | None, now: datetime) -> bool:
        """Commits its end and the notification together, once, and forgets what was asked; tells
        whether this was the once."""
        ...


class MenuVersions(Protocol):
    """Keeps what was published of each branch of the menu, and which version of it stands. Raises
    Unavailable."""

    def standing(self) -> tuple[str, Mapping[str, Files]]:
        """The files of each branch that has a published version standing, and a mark of it."""
        ...

    def publish(
        self, changes: Mapping[str, Files], by: Publisher, at: datetime, mark: str
    ) -> tuple[MenuVersion, ...] | None:
        """Commits new versions that stand from now on, with who and when; None, and nothing done,
        when what stands has changed since the mark was given."""
        ...

    def move(
        self, branch: str, version: int | None, by: Publisher, at: datetime, mark: str
    ) -> bool:
        """Commits that an older version stands, None for no published one; False, and nothing
        done, when what stands has changed since the mark was given."""
        ...

    def files(self, branch: str, version: int) -> Files | None:
        """What that version of the branch holds; None when the branch has no such version."""
        ...

    def of(self, branch: str | None) -> tuple[MenuVersion, ...]:
        """The versions of a branch, or of all of them, the newest of each first."""
        ...


class MenuProof(Protocol):
    """Proves the whole menu that published branches make over the files of the gateway."""

    def __call__(
        self, published: Mapping[str, Files], institutions: tuple[Institution, ...]
    ) -> list[str]:
        """Everything wrong with it, each a sentence that begins with its file's place."""
        ...


class Webhooks(Protocol):
    """Where institutions want to be told of events. Raises Unavailable."""

    def put(
        self, by: KeyHolder, name: str, url: str, events: tuple[str, ...], secret: str, at: datetime
    ) -> bool:
        """Changes the webhook of that name, or makes it with that secret; tells whether it is new.
        Raises TooManyWebhooks."""
        ...

    def rotate(self, by: KeyHolder, name: str, secret: str, at: datetime) -> None:
        """That secret signs from now on, for some days beside the one before. Raises
        NoSuchWebhook."""
        ...


class Tellings(Protocol):
    """The events on their way to webhooks. Raises Unavailable."""

    def window(self, endpoint: Endpoint, now: datetime, most: int) -> list[Event]:
        """Its due events, at most so many."""
        ...

    def record(
        self, endpoint: Endpoint, done: Sequence[Posted], now: datetime, held: timedelta | None
    ) -> None:
        """Commits how posts ended and gives the webhook back: at once, or after it was left alone
        for that time."""
        ...

    def switch_off(self, endpoint: Endpoint, detail: str, now: datetime) -> None:
        """It is told nothing more until its institution puts it anew."""
        ...
