"""What a dialogue needs of the world, in memory: each keeps the promise of its port."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock

from tests.fakes.served_menus import ServedMenus
from ussdapp.core.case import CaseStatus, CaseView, NewCase, Reply
from ussdapp.core.inbound import Institution, Keyed
from ussdapp.core.letters import Letters
from ussdapp.core.menu import Menu, items_of
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.opt_outs import Learnt
from ussdapp.core.reference import Reference
from ussdapp.core.resume import Draft
from ussdapp.core.routing import Route, Routes
from ussdapp.core.session import Record, Shown
from ussdapp.ports import After, BackOffices, NoSuchCase, Questions, ReferenceTaken, Unavailable
from ussdapp.stores.hints import RecentHints
from ussdapp.stores.menu_files import read_menu, read_texts
from ussdapp.usecases.answer_ussd import AnswerUssd

MENUS = Path(__file__).parents[2] / "menus"
NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ASHA = Msisdn("255754000001")
JUMA = Msisdn("255754000002")
INSTITUTIONS = (
    Institution(
        "ega", "Mamlaka ya Serikali Mtandao", "e-Government Authority", "Mawasiliano na Tehama"
    ),
    Institution("tra", "Mamlaka ya Mapato Tanzania", "Tanzania Revenue Authority", "Fedha na Kodi"),
    Institution(
        "tanesco", "Shirika la Umeme Tanzania", "Tanzania Electric Supply Company", "Nishati"
    ),
    Institution(
        "dawasa", "Maji Safi na Maji Taka Dar es Salaam", "Dar es Salaam Water Authority", "Maji"
    ),
    Institution(
        "nida",
        "Vitambulisho vya Taifa",
        "National Identification Authority",
        "Utambulisho na Uhamiaji",
    ),
    Institution(
        "rita",
        "Wakala wa Usajili Ufilisi na Udhamini",
        "Registration and Trusteeship",
        "Utambulisho na Uhamiaji",
    ),
    Institution("heslb", "Bodi ya Mikopo ya Elimu ya Juu", "Higher Education Loans Board", "Elimu"),
)


@cache
def real_menu() -> Menu:
    """The menu that ships, over invented institutions."""
    return read_menu(MENUS, {"institutions": items_of(INSTITUTIONS)})


@cache
def real_letters() -> Letters:
    """The texts that ship."""
    routes = Routes.ordered([Route("", "sandbox")])
    return Letters(read_texts(MENUS / "sms.toml"), routes, "15200", "*152*00#")


class FakeSessions:
    """Keeps ports.Sessions until wiped; while `down` it is unavailable."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.drafts: dict[Msisdn, Record] = {}
        self.claims: set[str] = set()
        self.effects: dict[str, str] = {}
        self.wrong: dict[tuple[Msisdn, str], set[str]] = {}
        self.down = False
        self.trips = 0
        self._lock = Lock()

    def kept(self, key: str) -> Record | None:
        self._reach()
        return self.records.get(key)

    def begin(
        self, key: str, record: Record, citizen: Msisdn
    ) -> tuple[Record | None, Record | None]:
        self._reach()
        with self._lock:
            kept = self.records.get(key)
            draft = None if kept else self.drafts.get(citizen)
            if kept is None and draft is None:
                self.records[key] = record
            return kept, draft

    def exchange(self, key: str, before: Record | None, after: After) -> Record | None:
        self._reach()
        with self._lock:
            kept = self.records.get(key)
            if kept is not None and kept not in (before, after.record):
                return kept
            self.records[key] = after.record
            if after.draft is Draft.TAKEN:
                origin = after.record.origin or key
                self.drafts[after.citizen] = replace(after.record, origin=origin)
            elif after.draft is Draft.CLEARED:
                self.drafts.pop(after.citizen, None)
            return None

    def claim(self, key: str) -> bool:
        self._reach()
        with self._lock:
            fresh = key not in self.claims
            self.claims.add(key)
            return fresh

    def first_effect(self, key: str, effect: str) -> str:
        self._reach()
        return self.effects.setdefault(key, effect)

    def tried(self, citizen: Msisdn, day: str, wrong: str = "") -> int:
        self._reach()
        tried = self.wrong.setdefault((citizen, day), set())
        if wrong:
            tried.add(wrong)
        return len(tried)

    def wipe(self) -> None:
        for kept in (self.records, self.drafts, self.claims, self.effects, self.wrong):
            kept.clear()

    def _reach(self) -> None:
        self.trips += 1
        if self.down:
            raise Unavailable("sessions")


class FakeOffers:
    """Keeps ports.Offers."""

    def __init__(self) -> None:
        self.offered: set[str] = set()
        self.down = False

    def make(self, key: str, at: datetime) -> None:
        self._reach()
        self.offered.add(key)

    def made(self, key: str) -> bool:
        self._reach()
        return key in self.offered

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("offers")


class FakeDialogues:
    """Keeps ports.Dialogues."""

    def __init__(self) -> None:
        self.beginnings: dict[str, datetime] = {}
        self.languages: dict[Msisdn, str] = {}
        self.down = False
        self._lock = Lock()

    def begin(self, key: str, channel: str, msisdn: Msisdn, at: datetime) -> str:
        self._reach()
        with self._lock:
            first = self.beginnings.get(key)
            if first is None or at - first > timedelta(minutes=10):
                self.beginnings[key] = at
        return self.language(msisdn)

    def began_at(self, key: str) -> datetime | None:
        self._reach()
        return self.beginnings.get(key)

    def language(self, msisdn: Msisdn, otherwise: str = "sw") -> str:
        self._reach()
        return self.languages.get(msisdn, otherwise)

    def remember_language(self, msisdn: Msisdn, language: str, at: datetime) -> None:
        self._reach()
        self.languages[msisdn] = language

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("dialogues")


class FakeCases:
    """Keeps ports.Cases; `filings` counts the calls, `cases` what they left."""

    def __init__(self) -> None:
        self.cases: dict[str, NewCase] = {}  # by effect
        self.replies: dict[str, Reply] = {}  # by reference
        self.told: list[Notification] = []
        self.filings = 0
        self.down = False
        self._lock = Lock()

    def file(self, case: NewCase, receipt: Notification | None) -> Reference:
        self._reach()
        with self._lock:
            self.filings += 1
            if case.effect in self.cases:
                return self.cases[case.effect].reference
            if case.institution not in {known.short_name for known in INSTITUTIONS}:
                raise LookupError
            if any(kept.reference == case.reference for kept in self.cases.values()):
                raise ReferenceTaken
            self.cases[case.effect] = case
            self.told += [receipt] if receipt else []
            return case.reference

    def view(self, reference: Reference, msisdn: Msisdn) -> CaseView | None:
        self._reach()
        case = self._case(reference)
        if case is None or case.msisdn != msisdn:
            return None
        reply = self.replies.get(reference.digits)
        return CaseView(
            reference=reference,
            institution=case.institution,
            kind=case.kind,
            status=reply.status if reply else CaseStatus.RECEIVED,
            answer=reply.words if reply else "",
            received_at=case.received_at,
        )

    def reply(
        self, reply: Reply, notify: Callable[[Msisdn, str, CaseView], Notification]
    ) -> tuple[CaseView, str | None]:
        self._reach()
        case = self._case(reply.reference)
        if case is None or case.institution != reply.institution:
            raise NoSuchCase
        self.replies[reply.reference.digits] = reply
        view = self.view(reply.reference, case.msisdn)
        assert view is not None
        notification = notify(case.msisdn, case.language, view)
        self.told.append(notification)
        return view, notification.channel

    def _case(self, reference: Reference) -> NewCase | None:
        return next((case for case in self.cases.values() if case.reference == reference), None)

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("cases")


class FakeOptOuts:
    """Keeps ports.OptOuts; `out` are those that now want no notices, None for of all."""

    def __init__(self) -> None:
        self.out: set[tuple[Msisdn, str | None]] = set()
        self.changes = 0
        self.down = False

    def opt_out(
        self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt
    ) -> None:
        self._reach()
        self.out.add((msisdn, institution))

    def opt_in(self, msisdn: Msisdn, institution: str | None, at: datetime, learnt: Learnt) -> None:
        self._reach()
        gone = {one for one in self.out if one[0] == msisdn and institution in (None, one[1])}
        self.out -= gone

    def whose(self, sender_id: str) -> str | None:
        raise AssertionError("a dialogue names no sender ID")

    def _reach(self) -> None:
        self.changes += 1
        if self.down:
            raise Unavailable("opt_outs")


class FakeDoorbells:
    """Keeps ports.Doorbells."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, channel: str) -> None:
        self.rung.append(channel)


@dataclass
class World:
    """One gateway's dialogue side and what stands around it."""

    sessions: FakeSessions = field(default_factory=FakeSessions)
    dialogues: FakeDialogues = field(default_factory=FakeDialogues)
    cases: FakeCases = field(default_factory=FakeCases)
    doorbells: FakeDoorbells = field(default_factory=FakeDoorbells)
    offers: FakeOffers = field(default_factory=FakeOffers)
    opt_outs: FakeOptOuts = field(default_factory=FakeOptOuts)
    offices: BackOffices | None = None
    questions: Questions | None = None
    menus: ServedMenus = field(default_factory=lambda: ServedMenus(real_menu()))
    numbers: Iterator[int] = field(default_factory=lambda: count(48213000001, 7919))

    def process(self) -> AnswerUssd:
        """One web process over these stores; another has other hints."""
        return AnswerUssd(
            sessions=self.sessions,
            dialogues=self.dialogues,
            cases=self.cases,
            menus=self.menus,
            letters=real_letters(),
            doorbells=self.doorbells,
            new_reference=lambda: Reference.numbered(next(self.numbers)),
            hints=RecentHints(),
            offers=self.offers,
            offices=self.offices,
            questions=self.questions,
            opt_outs=self.opt_outs,
        )


@dataclass
class Handset:
    """A citizen's dialogue through an aggregator that sends all that was keyed."""

    answer: AnswerUssd
    msisdn: Msisdn = ASHA
    session_id: str = "ATUid_1"
    keys: tuple[str, ...] = ()
    now: datetime = NOON
    channel: str = "at"

    def dials(self) -> Shown:
        self.keys = ()
        return self.sends("")

    def keys_in(self, *keys: str) -> Shown:
        """Keys them one after the other; the last screen."""
        for key in keys:
            self.keys = (*self.keys, key)
            shown = self.sends("*".join(self.keys))
        return shown

    def sends(self, text: str) -> Shown:
        """One callback with that text."""
        return self.answer(
            Keyed(self.channel, self.session_id, self.msisdn, "*152*00#", text), self.now
        )
