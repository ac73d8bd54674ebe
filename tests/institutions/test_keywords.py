"""An institution's own keyword: a citizen's text goes to its address, its answer comes by SMS; what
is slow, broken or gone is said honestly. Over real PostgreSQL, sockets and threads."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.back_offices import NOON, Rung, real_letters
from tests.institutions.office import CLIENT, SECRET, Institutions
from tests.stores.world import ASHA, SEAL
from ussdapp.core.codes import CONDITIONS, CodeKind, CodeStatus, NewCode
from ussdapp.core.inbound import Institution, Mo
from ussdapp.core.reference import Reference
from ussdapp.institutions.ega_guide import EgaGuide
from ussdapp.institutions.ega_guide.answers import handed_over
from ussdapp.institutions.ega_guide.keywords import KeywordDesks
from ussdapp.ports import OfficeGarbled
from ussdapp.sandbox.back_office import reference_of
from ussdapp.stores.cases import PgCases
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.database import Database, rows
from ussdapp.stores.dialogues import PgDialogues
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.mos import PgMos
from ussdapp.stores.notifications import TEXT, PgNotifications
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.stores.questions import PgQuestions
from ussdapp.usecases.ask_again import AskAgain
from ussdapp.usecases.receive_mo import ReceiveMo
from workers.asking import Asking

DEADLINE = 0.4


@dataclass
class Gateway:
    """What a text meets on its way, with a clock that a test turns."""

    database: Database
    offices: Institutions
    now: datetime = NOON
    guide: EgaGuide = field(default_factory=lambda: EgaGuide({}, CLIENT))
    desks_of: type[KeywordDesks] = KeywordDesks

    def __post_init__(self) -> None:
        self.codes = PgCodes(self.database, SEAL)
        self.questions = PgQuestions(self.database, SEAL)
        notifications, letters = PgNotifications(self.database, SEAL), real_letters()
        institutions = PgInstitutions(self.database)
        institutions.add([Institution(one, one.upper(), one.upper()) for one in ("wcf", "nssf")])
        self.desks = self.desks_of(self.guide, self.codes.handed, DEADLINE)
        self.receive = ReceiveMo(
            mos=PgMos(self.database, SEAL), cases=PgCases(self.database, SEAL),
            dialogues=PgDialogues(self.database, SEAL), institutions=institutions,
            notifications=notifications, opt_outs=PgOptOuts(self.database, SEAL),
            doorbells=Rung(), letters=letters, new_reference=lambda: Reference.numbered(1),
            questions=self.questions, handovers=self.desks,
        )  # fmt: skip
        again = AskAgain(self.guide, self.questions, letters, Rung(), self.desks, notifications)
        self.asking = Asking(self.questions, again, lambda: self.now)

    def allot(self, keyword: str = "WCF", secret: str = SECRET, whose: str = "wcf") -> int:
        url = f"http://127.0.0.1:{self.offices.server.server_address[1]}/demo.keyword"
        effect, kind = f"{keyword} of {whose}", CodeKind.KEYWORD
        new = NewCode(effect, "", whose, True, kind, keyword, "", "test", url, secret)
        code = self.codes.request(new, lambda _: None, NOON)
        for name in CONDITIONS[CodeKind.KEYWORD]:
            self.codes.meet(code.id, name, "", "test", NOON)
        self.codes.decide(code.id, CodeStatus.ALLOTTED, "", "test", NOON)
        return code.id

    def text(self, words: str, key: str = "m1") -> None:
        self.receive(Mo("sandbox", key, "sender", ASHA, "15200", words), self.now)

    def ask(self) -> None:
        """Whatever is due is asked, and its answer awaited."""
        while self.asking.begin_one():
            while self.asking.under_way():
                threading.Event().wait(0.01)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)
        self.ask()

    def said(self) -> list[str]:
        found = self._rows("SELECT text_sealed FROM contents ORDER BY notification_id")
        return [SEAL.open_text(row[0], TEXT) for row in found]

    def settled(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT status FROM mos")]

    def ended(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT status FROM questions ORDER BY id")]

    def _rows(self, query: Any) -> list[Any]:
        return self.database.run(lambda link: rows(link, query))


@pytest.fixture
def gateway(database: Database, offices: Institutions) -> Gateway:
    return Gateway(database, offices)


LATE = "WCF: Samahani, jibu linachelewa. Litakuja kwa SMS likipatikana, huna haja ya kutuma tena."


def test_a_text_reaches_its_institution_and_its_answer_the_citizen(gateway: Gateway) -> None:
    gateway.allot()
    gateway.text("Wcf, madai yangu 4711")
    assert (gateway.settled(), gateway.said()) == (["handed_over"], [])
    gateway.ask()
    (said,) = gateway.said()
    assert said.startswith('e-GA: Tumepokea ujumbe wako "Wcf, madai yangu 4711". Kumbukumbu ')
    assert gateway.ended() == ["answered"]
    assert gateway.offices.server.asked["demo.keyword"] == 1


def test_the_same_text_delivered_again_is_handed_over_once(gateway: Gateway) -> None:
    gateway.allot()
    for _ in range(3):
        gateway.text("WCF madai")
    gateway.ask()
    gateway.text("WCF madai")
    gateway.ask()
    assert gateway.offices.server.asked["demo.keyword"] == 1
    assert len(gateway.said()) == 1


def test_a_keyword_that_is_nobodys_or_revoked_is_not_understood(gateway: Gateway) -> None:
    number = gateway.allot()
    gateway.text("NSSF madai", "m1")
    gateway.codes.decide(number, CodeStatus.REVOKED, "Imeisha", "test", NOON)
    gateway.text("WCF madai", "m2")
    assert [one[:26] for one in gateway.said()] == ["Samahani, hatujaelewa ujum"] * 2
    assert gateway.ended() == []


def test_what_is_late_is_said_at_once_and_answered_when_it_comes(gateway: Gateway) -> None:
    gateway.allot()
    gateway.offices.behave(office="demo.keyword", delay=1.0)
    gateway.text("WCF madai")
    gateway.ask()
    assert gateway.said() == [LATE]
    gateway.offices.behave(office="demo.keyword", delay=0.0)
    gateway.later(seconds=40)
    assert gateway.said()[1].startswith("e-GA: Tumepokea ujumbe wako")
    assert gateway.ended() == ["answered"]


def test_what_may_have_been_taken_twice_is_posted_no_third_time(gateway: Gateway) -> None:
    gateway.allot()
    gateway.offices.behave(office="demo.keyword", garbage="html")
    gateway.text("WCF madai")
    gateway.ask()
    for _ in range(5):
        gateway.later(hours=1)
    assert gateway.offices.server.asked["demo.keyword"] == 2
    assert gateway.said()[-1].startswith("WCF: Samahani, taasisi haijathibitisha")
    assert gateway.ended() == ["failed"]


def test_who_is_not_there_is_asked_for_a_day_and_then_given_up(gateway: Gateway) -> None:
    gateway.allot(secret="not the one it knows")
    gateway.text("WCF madai")
    gateway.ask()
    for _ in range(30):
        gateway.later(hours=1)
    assert gateway.said() == [
        LATE,
        "WCF: Samahani, taasisi haijajibu ujumbe wako. Tuma tena baadaye kwenda 15200.",
    ]
    assert gateway.ended() == ["failed"]


def test_a_keyword_revoked_while_its_text_waits_is_told_as_failed(gateway: Gateway) -> None:
    number = gateway.allot()
    gateway.text("WCF madai")
    gateway.codes.decide(number, CodeStatus.REVOKED, "Imeisha", "test", NOON)
    gateway.ask()
    assert [one[:42] for one in gateway.said()] == ["WCF: Samahani, taasisi haijajibu ujumbe wa"]
    assert gateway.offices.server.asked["demo.keyword"] == 0


def test_a_text_that_waits_never_goes_to_whoever_was_allotted_its_keyword_since(
    gateway: Gateway,
) -> None:
    number = gateway.allot()
    gateway.text("WCF madai")
    gateway.codes.decide(number, CodeStatus.REVOKED, "Imeisha", "test", NOON)
    gateway.allot(whose="nssf")
    gateway.ask()
    assert gateway.offices.server.asked["demo.keyword"] == 0
    assert gateway.ended() == ["failed"]


def test_a_text_that_was_sealed_with_another_key_delays_no_other(gateway: Gateway) -> None:
    gateway.allot()
    gateway.text("WCF madai", "m1")
    spoil = "UPDATE questions SET data_sealed = ''"
    gateway.database.run(lambda link: link.execute(spoil) and None)
    gateway.text("WCF mafao", "m2")
    gateway.ask()
    gateway.ask()
    assert gateway.ended() == ["asked", "answered"]


def test_a_robot_that_answers_every_text_is_answered_three_times(gateway: Gateway) -> None:
    gateway.allot()
    for number in range(6):
        gateway.text(f"WCF {number}", f"m{number}")
        gateway.ask()
    assert len(gateway.said()) == 3


def test_one_that_hangs_is_left_alone_after_five_and_costs_nobody_else(gateway: Gateway) -> None:
    gateway.allot()
    gateway.offices.behave(office="demo.keyword", delay=1.0)
    for number in range(8):
        gateway.text(f"WCF {number}", f"m{number}")
    gateway.ask()
    assert gateway.offices.server.asked["demo.keyword"] == 5
    assert gateway.ended() == ["asked"] * 8


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"transaction_id": "t", "message": "Sawa", "reply": 1}', "Sawa"),
        (b'{"transaction_id": "t", "message": "Sawa", "reply": "1"}', "Sawa"),
        (b'{"transaction_id": "t", "message": "Sawa", "reply": 0}', None),
        (b'{"transaction_id": "t"}', None),
    ],
)
def test_an_answer_is_sent_where_reply_says_so(body: bytes, says: str | None) -> None:
    assert handed_over(body, "t") == says


@pytest.mark.parametrize(
    "body",
    [
        b"Sawa", b'{"transaction_id": "other", "message": "Sawa", "reply": 1}',
        b'{"message": "Sawa", "reply": 1}', b'{"transaction_id": "t", "message": "", "reply": 1}',
        b'{"transaction_id": "t", "message": ["Sawa"], "reply": 1}',
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_trusted_is_none(body: bytes) -> None:
    with pytest.raises(OfficeGarbled):
        handed_over(body, "t")


class Silent(KeywordDesks):
    """Of institutions that take every text and want no answer sent."""

    def hand_over(self, *asked: Any) -> None:
        super().hand_over(*asked)


def test_where_no_answer_is_wanted_none_is_sent(database: Database, offices: Institutions) -> None:
    gateway = Gateway(database, offices, desks_of=Silent)
    gateway.allot()
    gateway.text("WCF madai")
    gateway.ask()
    assert (gateway.said(), gateway.ended()) == ([], ["answered"])


def test_the_reference_is_the_same_for_the_same_text() -> None:
    assert reference_of("a") == reference_of("a")
