"""Cases, their answers, and the texts that come in: one effect each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.stores.world import ASHA, JUMA, LETTERS, NOON, SEAL, World, after
from ussdapp.core.case import CaseStatus, CaseView, Reply, Visibility
from ussdapp.core.inbound import Mo
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference
from ussdapp.ports import Addition, CaseClosed, KeptMo, NoSuchCase, ReferenceTaken
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows
from ussdapp.stores.mos import PgMos
from ussdapp.stores.registers import PgRegisters

ONE = Reference.numbered(1)


def letter(effect: str, at: float = 0) -> Notification:
    return LETTERS.receipt(effect, "ega", ASHA, "Tumepokea", after(at))


def notify(msisdn: Msisdn, language: str, case: CaseView) -> Notification:
    assert (msisdn, language) == (ASHA, "sw")
    return LETTERS.receipt(f"reply {case.answer}", "ega", msisdn, case.answer, NOON)


def reply(words: str, status: CaseStatus = CaseStatus.ANSWERED, institution: str = "ega") -> Reply:
    return Reply(f"{words} {status}", ONE, institution, words, status, NOON)


def test_filing_keeps_case_event_and_receipt_together(world: World) -> None:
    assert world.cases.file(world.case("e1"), letter("e1")) == ONE
    counts = "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM case_events)"
    assert world.database.run(lambda link: rows(link, counts)) == [(1, 1)]
    assert world.statuses() == ["queued"]


def test_the_same_effect_files_once_and_tells_the_first_reference(world: World) -> None:
    with ThreadPoolExecutor(4) as pool:
        filed = list(pool.map(
            lambda number: world.cases.file(world.case("e1", number), letter("e1")), range(1, 5)
        ))  # fmt: skip
    assert len(set(filed)) == 1
    assert world.statuses() == ["queued"]


def test_a_taken_reference_is_drawn_again(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    with pytest.raises(ReferenceTaken):
        world.cases.file(world.case("e2"), None)


def test_only_who_opened_it_sees_a_case(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    assert world.cases.view(ONE, JUMA) is None
    assert world.cases.view(Reference.numbered(2), ASHA) is None
    seen = world.cases.view(ONE, ASHA)
    assert seen
    assert (seen.institution, seen.status, seen.answer) == ("ega", CaseStatus.RECEIVED, "")


def test_an_anonymous_case_keeps_no_msisdn_and_is_still_followed_up_by_its_citizen(
    world: World,
) -> None:
    world.cases.file(world.case("e1", visibility=Visibility.ANONYMOUS), None)
    kept = world.database.run(
        lambda link: rows(link, "SELECT msisdn_index, msisdn_sealed FROM cases")
    )
    assert kept == [(None, None)]
    assert world.cases.view(ONE, ASHA)
    case, channel = world.cases.reply(reply("Tumeshughulikia"), notify)
    assert (case.answer, channel) == ("Tumeshughulikia", None)
    assert world.statuses() == []


def test_no_number_and_no_word_lies_open_in_any_table(world: World) -> None:
    world.cases.file(world.case("e1"), letter("e1"))
    dump = "SELECT cases::text FROM cases UNION ALL SELECT notifications::text FROM notifications"
    text = str(world.database.run(lambda link: rows(link, dump)))
    hexed = [word.encode().hex() for word in (ASHA.digits, "haifunguki", "Tumepokea")]
    assert not [word for word in (ASHA.digits, "haifunguki", *hexed) if word in text]


def test_an_answer_is_told_once_however_often_it_is_given(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.cases.reply(reply("Sawa"), notify)[0], range(4)))
    assert len(set(answers)) == 1
    assert answers[0].status is CaseStatus.ANSWERED
    assert world.statuses() == ["queued"]


def test_another_institution_cannot_answer(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    with pytest.raises(NoSuchCase):
        world.cases.reply(reply("Sawa", institution="nida"), notify)


def test_a_closed_case_takes_no_other_answer_but_repeats_the_last(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    world.cases.reply(reply("Imekwisha", CaseStatus.CLOSED), notify)
    again, _ = world.cases.reply(reply("Imekwisha", CaseStatus.CLOSED), notify)
    assert again.status is CaseStatus.CLOSED
    with pytest.raises(CaseClosed):
        world.cases.reply(reply("Na hili"), notify)


def addition(effect: str, number: int = 1, msisdn: Msisdn = ASHA) -> Addition:
    return Addition(effect, Reference.numbered(number), msisdn, "Bado haifunguki", NOON)


def added(world: World) -> list[tuple[object, ...]]:
    query = "SELECT status, words_sealed FROM case_events WHERE what = 'added' ORDER BY id"
    return world.database.run(lambda link: rows(link, query))


def test_words_are_added_once_however_often_they_come(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    world.cases.reply(reply("Tunashughulikia", CaseStatus.IN_PROGRESS), notify)
    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(lambda _: world.cases.add(addition("a1")), range(4)))
    (case,) = seen
    assert case == world.cases.view(ONE, ASHA), "the case stands as it stood, answer and all"
    ((status, sealed),) = added(world)
    assert status == "in_progress"
    assert isinstance(sealed, bytes)
    assert SEAL.open_text(sealed, "case_events.words") == "Bado haifunguki"
    world.cases.add(addition("a2"))
    assert len(added(world)) == 2


def test_nobody_adds_to_anothers_case_or_to_none(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    assert world.cases.add(addition("a1", msisdn=JUMA)) is None
    assert world.cases.add(addition("a2", number=2)) is None
    assert added(world) == []


def test_an_anonymous_case_takes_words_of_its_citizen(world: World) -> None:
    world.cases.file(world.case("e1", visibility=Visibility.ANONYMOUS), None)
    assert world.cases.add(addition("a1"))
    assert len(added(world)) == 1


def test_a_closed_case_takes_no_words_but_knows_those_it_took(world: World) -> None:
    world.cases.file(world.case("e1"), None)
    world.cases.add(addition("a1"))
    world.cases.reply(reply("Imekwisha", CaseStatus.CLOSED), notify)
    assert world.cases.add(addition("a1"))
    with pytest.raises(CaseClosed):
        world.cases.add(addition("a2"))
    assert len(added(world)) == 1


def test_at_most_three_automatic_answers_in_ten_minutes(world: World) -> None:
    def answer(number: int, at: float) -> bool:
        return world.notifications.accept(
            LETTERS.answer(f"mo {number}", None, ASHA, "Habari", after(at))
        )

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda number: answer(number, 0), range(8))) == 3
    assert not answer(9, 599)
    assert answer(10, 601)


def test_a_confirmation_of_an_opt_out_may_be_one_more(world: World) -> None:
    def answer(number: int, *, confirms: bool) -> bool:
        written = LETTERS.answer(f"mo {number}", None, ASHA, "Habari", after(number))
        return world.notifications.accept(replace(written, confirms=confirms))

    assert [answer(number, confirms=False) for number in range(4)] == [True, True, True, False]
    assert answer(4, confirms=True)
    assert not answer(5, confirms=True)


def test_a_text_delivered_again_has_the_first_ones_effect(world: World) -> None:
    mos = PgMos(world.database, SEAL)
    by_id = Mo("at", "id1", "+255754000001", ASHA, "15200", "MSAADA")
    assert len({mos.keep(by_id, after(second)) for second in (0, 7200)}) == 1
    by_content = Mo("smpp", "k", "255754000001", ASHA, "15200", "MSAADA", keyed_by_content=True)
    with ThreadPoolExecutor(4) as pool:
        effects = set(pool.map(lambda second: mos.keep(by_content, after(second)), range(8)))
    assert len(effects) == 1
    assert mos.keep(by_content, after(120)) not in effects


@pytest.mark.parametrize("keyed_by_content", [False, True], ids=["an id", "none"])
def test_a_repeat_knows_whether_the_text_was_settled(world: World, keyed_by_content: bool) -> None:
    mos = PgMos(world.database, SEAL)
    mo = Mo("smpp", "k", "255754000001", ASHA, "15200", "ACHA", keyed_by_content)
    first = mos.keep(mo, NOON)
    assert mos.keep(mo, after(1)) == first == KeptMo(first.effect, settled=False)
    mos.settle(first.effect, "answered")
    assert mos.keep(mo, after(2)) == KeptMo(first.effect, settled=True)


def test_words_without_an_id_are_one_text_for_as_long_as_is_said(world: World) -> None:
    mos = PgMos(world.database, SEAL)
    mo = Mo("smpp", "k", "255754000001", ASHA, "15200", "MAONI EGA x", keyed_by_content=True)
    first = mos.keep(mo, NOON)
    assert mos.keep(mo, after(599), timedelta(minutes=10)) == first
    assert mos.keep(mo, after(600), timedelta(minutes=10)) != first


def test_the_audit_chain_refuses_changes(world: World) -> None:
    PgRegisters(world.database).change("ega", {"sector": "elimu"}, NOON)
    with pytest.raises(psycopg.errors.RaiseException):
        world.database.run(lambda link: link.execute("DELETE FROM audit"))


def test_the_books_balance_and_say_so_when_they_do_not(world: World) -> None:
    world.submitted("m1")
    told = balance(world.database)
    assert told.holds
    assert (told.whole.accepted, told.whole.states) == (1, {"submitted": 1})
    world.database.run(lambda link: link.execute("UPDATE notifications SET attempts = 2"))
    assert balance(world.database).troubles == {
        "notifications whose attempts are not all journaled": 1
    }


def test_a_notification_that_vanished_is_missed(world: World) -> None:
    world.accept("one")
    world.accept("two")
    world.database.run(lambda link: link.execute("DELETE FROM notifications WHERE id = 1"))
    told = balance(world.database)
    assert not told.holds
    assert told.institutions["ega"].accepted == 2
