"""A gateway for tests of the web: it notes what reaches it, and does as it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ussdapp.channels.africastalking import AfricasTalkingCallbacks
from ussdapp.core.case import CaseStatus, CaseView, Kind
from ussdapp.core.inbound import Keyed, KeyHolder, Mo, OptOut, Receipt
from ussdapp.core.reference import NotAReference, Reference
from ussdapp.core.session import Shown
from ussdapp.ports import CaseClosed, NoSuchCase
from ussdapp.settings import ChannelSettings, Settings

NOW = datetime(2026, 3, 2, 7, 15, 9, tzinfo=UTC)
TOKEN = "0123456789abcdef0123456789abcdef"
OLD_TOKEN = "fedcba9876543210fedcba9876543210"
KEY = "live-key-that-answers-cases"
POOR_KEY = "live-key-that-only-reads"
REFERENCE = Reference.numbered(12345)
CLOSED = Reference.numbered(54321)
SORRY = {"sw": "Samahani, kuna tatizo. Piga tena baadaye.", "en": "Sorry. Dial again later."}


@dataclass(slots=True)
class FakeGateway:
    """What the web needs of a gateway. `trouble` is raised by all that keeps something."""

    settings: Settings
    dialects: Mapping[str, Any]
    trouble: Exception | None = None
    missing: list[str] = field(default_factory=list)
    came: list[Any] = field(default_factory=list)
    shows: Callable[[Keyed], Shown] = lambda keyed: Shown("1. Maji\n2. Umeme", ends=False)

    def answer_ussd(self, keyed: Keyed, now: datetime) -> Shown:
        self._note(keyed)
        return self.shows(keyed)

    def receive_mo(self, mo: Mo, now: datetime) -> None:
        self._note(mo)

    def record_receipts(self, receipts: list[Receipt], now: datetime) -> None:
        self._note(receipts)

    def record_opt_out(self, opt_out: OptOut, now: datetime) -> None:
        self._note(opt_out)

    @property
    def cases(self) -> SimpleNamespace:
        return SimpleNamespace(reply=self._reply)

    def _reply(
        self, holder: KeyHolder, reference: str, words: str, status: CaseStatus, now: datetime
    ) -> CaseView:
        try:
            known = Reference.parse(reference)
        except NotAReference:
            raise NoSuchCase from None
        if known == CLOSED:
            raise CaseClosed
        if known != REFERENCE:
            raise NoSuchCase
        self._note((holder, known, words, status))
        return CaseView(known, holder.institution, Kind.COMPLAINT, status, words, NOW)

    def holder(self, key: str, now: datetime) -> KeyHolder | None:
        scopes = {KEY: {"cases:reply"}, POOR_KEY: {"cases:read"}}
        if key not in scopes:
            return None
        return KeyHolder(1, "ega", live=True, scopes=frozenset(scopes[key]))

    def sorry(self, language: str) -> str:
        return SORRY[language]

    def readiness(self) -> list[str]:
        return self.missing

    def _note(self, what: Any) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.came.append(what)


def fake_gateway(*, sandbox: bool = False, ledger: str = "") -> FakeGateway:
    """A gateway with the channels `at` and `sandbox`, and `mute`, which has no dialect."""
    names = ("at", "sandbox", "mute")
    channels = {name: _channel(name) for name in names}
    settings = Settings(
        database_url="postgresql://nowhere",
        redis_url="redis://nowhere",
        seal_key=b"",
        index_key=b"",
        sandbox=sandbox,
        short_code="15200",
        service_code="*152*00#",
        screen_budget=160,
        ledger=ledger,
        channels=channels,
    )
    dialects = {name: AfricasTalkingCallbacks(name) for name in ("at", "sandbox")}
    return FakeGateway(settings, dialects)


def _channel(name: str) -> ChannelSettings:
    return ChannelSettings(name, "africastalking", "africastalking", (TOKEN, OLD_TOKEN), (), {})
