from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.stores.world import ASHA, LETTERS, NOON, SEAL, World, after
from ussdapp.core.back_office import Asker, Claimed, Ended, Mode, Question
from ussdapp.core.notification import Notification
from ussdapp.stores.database import rows
from ussdapp.stores.questions import HELD, PgQuestions

LOOKUP = Question(
    office="gepg.bill",
    mode=Mode.LOOKUP,
    asked={"data": "994550451254"},
    asker=Asker(ASHA, "session-1", "sw", "effect-1"),
    title="Bili ya Serikali",
    institution="ega",
    sentences={"found": "Bili: {detail_02}"},
    names={"detail_02": "kiasi"},
)
SUMMARY = replace(LOOKUP, office="gms.request", mode=Mode.SUMMARY, asked={"taasisi": "tra"})


@pytest.fixture
def questions(world: World) -> PgQuestions:
    return PgQuestions(world.database, SEAL)


def told(question: Question = LOOKUP) -> Notification:
    effect = f"{question.asker.effect}:late"
    return LETTERS.receipt(effect, "ega", ASHA, "Bili ya Serikali: TZS 20,500", NOON)


def claimed(questions: PgQuestions, now=NOON, busy=()) -> Claimed:
    found = questions.claim(busy, now)
    assert found
    return found


def other(question: Question, effect: str, office: str = "") -> Question:
    asker = replace(question.asker, effect=effect)
    return replace(question, asker=asker, office=office or question.office)


def test_a_question_comes_back_as_it_was_kept(questions):
    assert questions.keep(LOOKUP, NOON)
    found = claimed(questions)
    assert found.question == LOOKUP
    assert (found.tries, found.posts, found.asked_at) == (1, 0, NOON)


def test_the_same_effect_is_one_question(questions):
    assert questions.keep(LOOKUP, NOON)
    assert not questions.keep(LOOKUP, after(1))
    claimed(questions)
    assert questions.claim((), NOON) is None


def test_a_look_up_is_due_at_once_and_a_summary_after_a_pause(questions):
    questions.keep(SUMMARY, NOON)
    assert questions.claim((), after(29)) is None
    found = claimed(questions, after(30))
    assert found.posts == 2  # the one that was not answered, and this


def test_a_claim_that_nobody_speaks_of_lapses(questions):
    questions.keep(LOOKUP, NOON)
    claimed(questions)
    assert questions.claim((), NOON + HELD - timedelta(seconds=1)) is None
    assert claimed(questions, NOON + HELD).tries == 2


def test_a_busy_office_is_passed_over(questions):
    questions.keep(LOOKUP, NOON)
    questions.keep(other(LOOKUP, "effect-2", "luku.meter"), after(1))
    assert claimed(questions, after(2), ["gepg.bill"]).question.office == "luku.meter"
    assert questions.claim(["gepg.bill"], after(2)) is None


def test_many_processes_claim_each_question_once(questions):
    for number in range(40):
        questions.keep(other(LOOKUP, f"effect-{number}"), NOON)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: questions.claim((), NOON), range(48)))
    effects = [one.question.asker.effect for one in found if one]
    assert len(effects) == len(set(effects)) == 40


def test_a_postponed_question_is_due_then(questions):
    questions.keep(LOOKUP, NOON)
    questions.postpone(claimed(questions), after(30), posts=0)
    assert questions.claim((), after(29)) is None
    assert claimed(questions, after(30)).tries == 2


def test_a_frozen_process_does_not_postpone_what_another_has_claimed(questions):
    questions.keep(LOOKUP, NOON)
    frozen = claimed(questions)
    claimed(questions, NOON + HELD)
    questions.postpone(frozen, NOON, posts=0)
    assert questions.claim((), NOON + HELD) is None


def test_an_end_is_told_once_and_forgets_what_was_asked(questions, world):
    questions.keep(LOOKUP, NOON)
    first, second = claimed(questions), claimed(questions, NOON + HELD)
    assert questions.end(first, Ended.ANSWERED, told(), NOON)
    assert not questions.end(second, Ended.FAILED, told(), NOON)
    assert questions.claim((), after(86_400)) is None
    (row,) = world.database.run(
        lambda link: rows(link, "SELECT status, data_sealed, msisdn_sealed FROM questions")
    )
    assert row == ("answered", None, None)
    ((count,),) = world.database.run(
        lambda link: rows(link, "SELECT count(*) FROM notifications WHERE class = 'receipt'")
    )
    assert count == 1


def test_what_was_asked_and_by_whom_is_not_readable(questions, world):
    questions.keep(LOOKUP, NOON)
    ((kept,),) = world.database.run(lambda link: rows(link, "SELECT q::text FROM questions q"))
    for secret in ("994550451254", ASHA.digits, "Bili"):
        assert secret not in kept
        assert secret.encode().hex() not in kept
