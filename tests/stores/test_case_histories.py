"""What institutions read of their cases, and what becomes of one that is handed on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta

import pytest

from tests.stores.world import ASHA, LETTERS, NOON, SEAL, World, after
from ussdapp.core.case import CaseStatus, Kind, Reply, Transfer, Transferred, Visibility
from ussdapp.core.case_history import Sought, What
from ussdapp.core.inbound import Institution
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference
from ussdapp.ports import Addition, CaseClosed, NoSuchCase, NoSuchInstitution, SameInstitution
from ussdapp.stores.case_histories import PgCaseHistories
from ussdapp.stores.case_transfers import PgTransfers
from ussdapp.stores.public_ids import PublicIds

ONE = Reference.numbered(1)
EVERYTHING = Sought()


def histories(world: World) -> PgCaseHistories:
    return PgCaseHistories(world.database, SEAL, PublicIds(bytes(32), "case"))


def transfers(world: World) -> PgTransfers:
    world.institutions.add([Institution("gepg", "GePG", "GePG")])
    return PgTransfers(world.database, SEAL)


def moved(by: str = "ega", to: str = "gepg", words: str = "ni malipo", at: float = 60) -> Transfer:
    return Transfer(ONE, by, to, words, after(at))


def told(msisdn: Msisdn, language: str) -> Notification:
    assert (msisdn, language) == (ASHA, "sw")
    return LETTERS.receipt("transfer", "ega", msisdn, "Limehamishiwa", NOON)


def replied(world: World, words: str, by: str = "ega", status: str = "answered") -> None:
    reply = Reply(f"{by} {words}", ONE, by, words, CaseStatus(status), after(30))
    world.cases.reply(
        reply, lambda msisdn, _, case: LETTERS.receipt(words, by, msisdn, words, NOON)
    )


def numbers(world: World, sought: Sought = EVERYTHING) -> list[str]:
    page = histories(world).page("ega", sought, None, 100)
    return [one.reference.digits for one in page.cases]


def test_an_institution_reads_its_case_and_no_msisdn(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    world.cases.add(Addition("a1", ONE, ASHA, "Bado haifunguki", after(10)))
    replied(world, "Tumeshughulikia")
    found = histories(world).one("ega", ONE)
    assert found
    assert found.words == "Barua pepe haifunguki"
    assert found.case.due_at == NOON + timedelta(hours=72)
    assert [(one.what, one.words, one.institution) for one in found.events] == [
        (What.FILED, "", "ega"),
        (What.ADDED, "Bado haifunguki", "ega"),
        (What.REPLIED, "Tumeshughulikia", "ega"),
    ]
    assert ASHA.digits not in str(asdict(found))
    assert histories(world).one("gepg", ONE) is None


def test_pages_hold_each_case_once_while_others_are_filed(world: World) -> None:
    for number in range(7):
        world.cases.file(world.case(f"e{number}", number), None)
    reading, seen, cursor, late = histories(world), list[str](), None, 100
    while True:
        page = reading.page("ega", EVERYTHING, cursor, 3)
        seen += [one.reference.digits for one in page.cases]
        late += 1
        world.cases.file(world.case(f"late {late}", late), None)
        if page.next is None:
            break
        cursor = page.next
    assert seen == [Reference.numbered(number).digits for number in reversed(range(7))]


def test_what_is_sought_is_found(world: World) -> None:
    world.cases.file(world.case("e1", 1), None)
    world.cases.file(world.case("e2", 2), None)
    replied(world, "Sawa")
    first, second = Reference.numbered(1).digits, Reference.numbered(2).digits
    assert numbers(world, Sought(status=CaseStatus.ANSWERED)) == [first]
    assert numbers(world, Sought(kind=Kind.PRAISE)) == []
    assert numbers(world, Sought(kind=Kind.COMPLAINT)) == [second, first]
    # what is answered is due no more
    due = NOON + timedelta(hours=72)
    assert numbers(world, Sought(due_before=due)) == []
    assert numbers(world, Sought(due_before=due + timedelta(seconds=1))) == [second]


def test_a_case_moves_whole_and_is_read_where_it_is(world: World) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1"), None)
    replied(world, "Si letu", status="in_progress")
    before = world.statuses()
    done, channel = moving.transfer(moved(), told)
    assert (done, channel) == (Transferred(ONE, "gepg", after(60)), "sandbox")
    assert len(world.statuses()) == len(before) + 1
    assert histories(world).one("ega", ONE) is None
    assert numbers(world) == []
    found = histories(world).one("gepg", ONE)
    assert found
    assert (found.case.status, found.case.due_at) == (
        CaseStatus.RECEIVED, NOON + timedelta(hours=72)
    )  # fmt: skip
    assert [(one.what, one.institution, one.words, one.to) for one in found.events] == [
        (What.FILED, "ega", "", None),
        (What.REPLIED, "ega", "Si letu", None),
        (What.TRANSFERRED, "ega", "ni malipo", "gepg"),
    ]


def test_the_citizen_follows_a_moved_case_and_reads_no_answer_of_the_one_before(
    world: World,
) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1"), None)
    replied(world, "Si letu")
    moving.transfer(moved(), told)
    case = world.cases.view(ONE, ASHA)
    assert case
    assert (case.institution, case.status, case.answer) == ("gepg", CaseStatus.RECEIVED, "")
    replied(world, "Tumelipa", by="gepg")
    case = world.cases.view(ONE, ASHA)
    assert case
    assert case.answer == "Tumelipa"


def test_a_transfer_given_again_and_again_is_one(world: World) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1"), None)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda second: moving.transfer(moved(at=second), told)[0], range(4)))
    assert len(set(done)) == 1
    assert world.statuses() == ["queued"]
    with pytest.raises(NoSuchCase):
        moving.transfer(moved(words="kwa sababu nyingine"), told)


def test_a_case_may_come_back(world: World) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1"), None)
    moving.transfer(moved(), told)
    moving.transfer(moved("gepg", "ega", "si letu", 90), told)
    moving.transfer(moved(at=120), told)
    found = histories(world).one("gepg", ONE)
    assert found
    assert [one.institution for one in found.events] == ["ega", "ega", "gepg", "ega"]


def test_an_anonymous_case_moves_and_nobody_is_told(world: World) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1", visibility=Visibility.ANONYMOUS), None)
    assert moving.transfer(moved(), told)[1] is None
    assert world.statuses() == []
    assert world.cases.view(ONE, ASHA), "its citizen still follows it up"


@pytest.mark.parametrize(
    ("transfer", "refusal"),
    [
        (moved(to="ega"), SameInstitution),
        (moved(to="nobody"), NoSuchInstitution),
        (moved(by="gepg", to="ega"), NoSuchCase),
        (moved(by="gepg", to="gepg"), NoSuchCase),
        (moved(by="gepg", to="nobody"), NoSuchCase),
    ],
    ids=["to itself", "to nobody", "another's", "another's to itself", "another's to nobody"],
)
def test_what_cannot_be_moved_stays(
    world: World, transfer: Transfer, refusal: type[Exception]
) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1"), None)
    with pytest.raises(refusal):
        moving.transfer(transfer, told)
    assert histories(world).one("ega", ONE)
    assert world.statuses() == []


def test_a_closed_case_stays_where_it_is(world: World) -> None:
    moving = transfers(world)
    world.cases.file(world.case("e1"), None)
    replied(world, "Imekwisha", status="closed")
    with pytest.raises(CaseClosed):
        moving.transfer(moved(), told)
