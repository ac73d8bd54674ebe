"""The same words again are the same case, a reference is not guessed, and what was handed in is
never said not to have been."""

import pytest

from tests.fakes.back_offices import FakeQuestions
from tests.fakes.dialogue import ASHA, JUMA, NOON, Handset, World
from tests.fakes.every_kind import Institution, every_kind
from tests.fakes.served_menus import ServedMenus
from tests.usecases.answering import PATH, WORDS
from ussdapp.core.back_office import HandedIn, Question
from ussdapp.core.reference import Reference
from ussdapp.core.session import MOST_TRIES, Shown
from ussdapp.ports import OfficeGarbled, OfficeLate, Unavailable

SOCIETY = ("1", "2", "maji", "ilala", "Umoja wa wavuvi", "1")


def filed(world: World, session_id: str, words: str = WORDS, *, by: object = ASHA) -> Shown:
    phone = Handset(world.process(), session_id=session_id, msisdn=by)  # type: ignore[arg-type]
    phone.dials()
    return phone.keys_in(*PATH[:5], words, *PATH[6:])


# -- the same complaint


@pytest.mark.parametrize("again", [WORDS, "  maji hayatoki  MBEZI tangu jumatatu "])
def test_the_same_complaint_again_is_the_same_case(world: World, again: str) -> None:
    filed(world, "s1")
    (case,) = world.cases.cases.values()
    shown = filed(world, "s2", again)
    assert shown.ends
    assert str(case.reference) in shown.text
    assert list(world.cases.cases.values()) == [case]
    assert len(world.cases.told) == 1
    assert world.doorbells.rung == ["sandbox"]


def test_a_repeat_of_the_second_gets_its_bytes(world: World) -> None:
    filed(world, "s1")
    phone = Handset(world.process(), session_id="s2")
    phone.dials()
    shown = phone.keys_in(*PATH)
    assert [phone.sends("*".join(PATH)) for _ in range(3)] == [shown] * 3


@pytest.mark.parametrize("differs", ["MSISDN", "words", "institution", "visibility"])
def test_what_differs_is_another_case(world: World, differs: str) -> None:
    filed(world, "s1")
    if differs == "MSISDN":
        filed(world, "s2", by=JUMA)
    elif differs == "words":
        filed(world, "s2", f"{WORDS} asubuhi")
    else:
        phone = Handset(world.process(), session_id="s2")
        phone.dials()
        path = list(PATH)
        path[4 if differs == "institution" else 6] = "tra" if differs == "institution" else "2"
        phone.keys_in(*path)
    assert len(world.cases.cases) == 2


def test_two_phones_at_once_file_one_case(world: World) -> None:
    phones = [Handset(world.process(), session_id=name) for name in ("s1", "s2")]
    for phone in phones:
        phone.dials()
    for phone in phones:
        phone.keys_in(*PATH[:-1])
    shown = [phone.keys_in(PATH[-1]) for phone in phones]
    (case,) = world.cases.cases.values()
    assert all(str(case.reference) in one.text for one in shown)


def test_what_the_first_could_not_file_the_second_files(world: World) -> None:
    world.cases.down = True
    assert "haipatikani" in filed(world, "s1").text
    world.cases.down = False
    world.sessions.drafts.clear()
    assert filed(world, "s2").text.startswith("Mrejesho wako umepokelewa.")
    assert len(world.cases.cases) == 1


# -- references that are guessed


def follows_up(world: World, session_id: str, *references: str) -> Shown:
    phone = Handset(world.process(), session_id=session_id)
    phone.dials()
    phone.keys_in("2")  # not where the last one was left
    phone.keys_in("00", "9", "2", "2")
    for reference in references:
        shown = phone.keys_in(reference)
    return shown


def wrong(number: int) -> str:
    return Reference.numbered(10_000_000_000 + number).digits


def test_after_ten_wrong_references_the_right_one_looks_like_a_wrong_one(world: World) -> None:
    filed(world, "s0")
    (case,) = world.cases.cases.values()
    for number in range(MOST_TRIES - 1):
        miss = follows_up(world, f"s{number + 1}", wrong(number))
    assert "Hali: Umepokelewa" in follows_up(world, "s10", case.reference.digits).text
    assert follows_up(world, "s11", wrong(99)) == miss
    assert "Umepokelewa" not in follows_up(world, "s12", case.reference.digits).text


def test_the_same_wrong_reference_and_one_mistyped_do_not_count(world: World) -> None:
    filed(world, "s0")
    (case,) = world.cases.cases.values()
    mistyped = f"{int(case.reference.digits) + 1:012d}"
    for number in range(MOST_TRIES + 2):
        follows_up(world, f"s{number + 1}", wrong(1), mistyped)
    assert "Hali: Umepokelewa" in follows_up(world, "s99", case.reference.digits).text


def test_the_next_day_may_be_tried_again(world: World) -> None:
    filed(world, "s0")
    (case,) = world.cases.cases.values()
    for number in range(MOST_TRIES):
        world.sessions.tried(ASHA, "20261121", wrong(number))
    assert "Hali: Umepokelewa" in follows_up(world, "s1", case.reference.digits).text


# -- what was handed in


class Forgetful(FakeQuestions):
    """PostgreSQL goes away after the institution was asked."""

    def keep(self, question: Question, at: object) -> bool:
        raise Unavailable("questions")


@pytest.mark.parametrize("questions", [None, Forgetful()], ids=["no store", "PostgreSQL away"])
@pytest.mark.parametrize("trouble", [OfficeLate("x"), OfficeGarbled("x")])
def test_what_may_have_been_taken_is_not_said_to_be_unavailable(
    questions: FakeQuestions | None, trouble: Exception
) -> None:
    office = Institution(trouble=trouble)
    world = World(menus=ServedMenus(every_kind()), offices=office, questions=questions)
    phone = Handset(world.process())
    phone.dials()
    shown = phone.keys_in(*SOCIETY)
    assert shown.ends
    assert shown.text.endswith(
        "Samahani, taasisi haijathibitisha kama imepokea ombi lako. Iulize kabla ya kutuma tena."
    )
    office.trouble = None
    assert phone.sends("*".join(SOCIETY)) == shown
    assert phone.keys_in("1") == shown
    assert len(office.asked) == 1, "a repeat hands in nothing"


def test_a_look_up_that_nobody_will_repeat_is_unavailable() -> None:
    office = Institution(trouble=OfficeLate("x"))
    world = World(menus=ServedMenus(every_kind()), offices=office, questions=Forgetful())
    phone = Handset(world.process())
    phone.dials()
    assert phone.keys_in("1", "1", "994550451254").text.startswith("Haipatikani kwa sasa.")


class Cut(Institution):
    """Redis goes away while the institution answers, once."""

    world: World

    def hand_in(self, office, answers, asker) -> HandedIn:  # type: ignore[no-untyped-def]
        self.world.sessions.down = True
        return super().hand_in(office, answers, asker)


def gone_on(*keys: str) -> Cut:
    """A society is handed in while Redis goes away, its answer is lost, the citizen dials again,
    goes on where the dialogue seems to have dropped, and keys."""
    office = Cut()
    office.world = world = World(menus=ServedMenus(every_kind()), offices=office)
    phone = Handset(world.process(), session_id="s1")
    phone.dials()
    phone.keys_in(*SOCIETY)
    world.sessions.down = False
    again = Handset(world.process(), session_id="s2", now=NOON)
    assert again.dials().text.startswith("Endelea ulipoishia?")
    again.keys_in("1", *keys)
    return office


def test_the_same_answers_confirmed_again_are_the_same_submission() -> None:
    assert len(gone_on("1").taken) == 1


def test_an_answer_changed_on_the_way_back_is_another_submission() -> None:
    office = gone_on("0", "Umoja wa wakulima", "1")
    assert [told["chama"] for told in office.taken.values()] == [
        "Umoja wa wavuvi",
        "Umoja wa wakulima",
    ]
