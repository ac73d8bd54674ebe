from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.back_offices import (
    ASHA,
    NOON,
    FakeBackOffices,
    FakeQuestions,
    Rung,
    real_letters,
    with_language,
)
from ussdapp.core.back_office import Asker, Ended, HandedIn, LookedUp, Mode, Question
from ussdapp.core.notification import Class
from ussdapp.core.parts import split
from ussdapp.ports import OfficeGarbled, OfficeLate, OfficeUnavailable
from ussdapp.usecases.ask_again import AskAgain

LOOKUP = Question(
    office="gepg.bill",
    mode=Mode.LOOKUP,
    asked={"data": "994550451254"},
    asker=Asker(ASHA, "session-1", "sw", "effect-1"),
    title="Bili ya Serikali",
)
SUMMARY = replace(
    LOOKUP, office="gms.request", mode=Mode.SUMMARY, asked={"taasisi": "tra"}, title="GMS"
)
FOUND = LookedUp(True, {"detail_01": "Haijalipwa", "detail_02": "TZS 20,500"})


class World:
    """One question and an institution that says what a test wrote down."""

    def __init__(self, question: Question, *says: LookedUp | HandedIn | Exception) -> None:
        self.offices = FakeBackOffices(*says)
        self.questions = FakeQuestions()
        self.doorbells = Rung()
        self.now = NOON
        self.questions.keep(question, NOON)
        self._ask = AskAgain(self.offices, self.questions, real_letters(), self.doorbells)

    def run(self, hours: float) -> None:
        """Asks whatever comes due within that time."""
        end = self.now + timedelta(hours=hours)
        while (due := self._due()) is not None and due <= end:
            self.now = max(self.now, due)
            claimed = self.questions.claim((), self.now)
            assert claimed
            self._ask(claimed, lambda: self.now)

    def _due(self):
        return min((one.due for one in self.questions.kept if one.ended is None), default=None)

    @property
    def ended(self):
        return self.questions.kept[0].ended

    def text(self) -> str:
        (told,) = self.questions.told
        return told.text


def test_a_late_answer_comes_by_sms_once():
    world = World(LOOKUP, FOUND)
    world.run(48)
    (told,) = world.questions.told
    assert told.text == "Bili ya Serikali: Haijalipwa, TZS 20,500"
    assert told.klass is Class.RECEIPT
    assert told.effect == "effect-1:late"
    assert told.msisdn == ASHA
    assert world.ended is Ended.ANSWERED
    assert world.doorbells.rung == [told.channel]


def test_an_answer_is_said_as_its_screen_would_have_said_it():
    question = replace(
        LOOKUP,
        sentences={"found": "{kiasi}. Hali: {detail_01}. {hakuna}"},
        names={"detail_02": "kiasi"},
    )
    world = World(question, FOUND)
    world.run(1)
    assert world.text() == "Bili ya Serikali: TZS 20,500. Hali: Haijalipwa."


def test_an_institution_may_say_it_all_in_one_line():
    world = World(LOOKUP, LookedUp(True, {"detail_01": "x", "sms": "Bili 99: TZS 5"}))
    world.run(1)
    assert world.text() == "Bili ya Serikali: Bili 99: TZS 5"


def test_an_answer_is_in_the_citizens_language():
    question = replace(with_language(LOOKUP, "en"), title="Government bill")
    world = World(question, LookedUp(False, {}))
    world.run(1)
    assert world.text().startswith("Government bill: Nothing was found.")


def test_what_is_not_known_is_said_in_its_own_sentence():
    question = replace(LOOKUP, sentences={"missing": "Namba ya malipo haijapatikana."})
    world = World(question, LookedUp(False, {"detail_01": "404"}))
    world.run(1)
    assert world.text() == "Bili ya Serikali: Namba ya malipo haijapatikana."


def test_a_long_answer_keeps_to_two_parts_of_plain_characters():
    world = World(LOOKUP, LookedUp(True, {"sms": "Ñandú 你好 {^} \n" * 200}))
    world.run(1)
    assert len(split(world.text())) == 2
    assert world.text().endswith("...")


@pytest.mark.parametrize("at", range(150, 156))
@pytest.mark.parametrize("long", [306, 600], ids=["as long as two parts", "longer"])
def test_two_parts_are_filled_and_an_escape_goes_whole_into_the_second(at, long):
    lead = len("Bili ya Serikali: ")
    words = f"{'a' * (at - lead - 1)}[{'b' * long}"
    world = World(LOOKUP, LookedUp(True, {"sms": words}))
    world.run(1)
    text, parts = world.text(), split(world.text())
    across = at == 153  # its first septet would be the last of the first part
    assert len(parts) == 2
    assert len(text) + 1 == (305 if across else 306)
    assert [len(body) for body in parts.bodies] == [152 if across else 153, 153]


def test_an_institution_that_is_down_is_asked_until_it_answers():
    world = World(LOOKUP, OfficeLate(), OfficeUnavailable(), OfficeGarbled(), FOUND)
    world.run(1)
    assert len(world.offices.asked) == 4
    assert world.ended is Ended.ANSWERED


def test_pauses_double_from_half_a_minute_to_an_hour():
    world = World(LOOKUP, OfficeLate())
    pauses = []
    for _ in range(10):
        before = world.now
        world.run((world._due() - world.now) / timedelta(hours=1))
        pauses.append((world._due() - world.now).total_seconds())
        assert world.now >= before
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_after_a_day_the_citizen_is_told_once_that_nobody_answered():
    world = World(LOOKUP, OfficeLate())
    world.run(72)
    assert world.ended is Ended.FAILED
    assert (
        world.text() == "Bili ya Serikali: Samahani, taasisi haijajibu. Piga *152*00# ujaribu tena."
    )
    assert world.now <= NOON + timedelta(hours=24)


def test_a_summary_whose_answer_was_lost_is_posted_once_more_with_the_same_id():
    world = World(SUMMARY, HandedIn(True, "GMS: kumbukumbu 12345670"))
    world.run(1)
    ((office, answers, asker),) = world.offices.asked
    assert (office, answers, asker.effect) == ("gms.request", {"taasisi": "tra"}, "effect-1")
    assert world.text() == "GMS: GMS: kumbukumbu 12345670"


@pytest.mark.parametrize("trouble", [OfficeLate(), OfficeGarbled()], ids=["late", "garbled"])
def test_a_summary_lost_twice_is_not_posted_a_third_time(trouble):
    world = World(SUMMARY, trouble)
    world.run(72)
    assert len(world.offices.asked) == 1
    assert world.ended is Ended.FAILED
    assert "haijathibitisha" in world.text()


def test_a_summary_that_was_certainly_not_taken_is_posted_again():
    world = World(SUMMARY, *[OfficeUnavailable()] * 5, HandedIn(True, ""))
    world.run(24)
    assert len(world.offices.asked) == 6
    assert world.text() == "GMS: Taasisi imepokea ombi lako."


def test_a_summary_in_doubt_that_then_finds_nobody_is_not_called_failed():
    world = World(SUMMARY, OfficeUnavailable())
    world.run(72)
    assert "haijathibitisha" in world.text()


def test_a_process_that_died_while_it_posted_counts_as_a_post():
    world = World(SUMMARY, HandedIn(True, "x"))
    world.now = NOON + timedelta(seconds=30)
    world.questions.claim((), world.now)  # and never heard of again
    world.run(1)
    assert world.offices.asked == []
    assert "haijathibitisha" in world.text()


def test_a_summary_that_is_refused_is_said_to_be():
    world = World(SUMMARY, HandedIn(False, ""))
    world.run(1)
    assert world.text().startswith("GMS: Taasisi haijakubali ombi lako.")


def test_a_second_answer_of_a_frozen_process_is_not_told():
    world = World(LOOKUP, FOUND)
    frozen = world.questions.claim((), NOON)
    world.run(1)
    AskAgain(world.offices, world.questions, real_letters(), world.doorbells)(
        frozen, lambda: world.now
    )
    assert len(world.questions.told) == 1


@pytest.mark.parametrize("language", ["sw", "en"])
def test_every_sentence_leaves_room_for_an_answer_in_two_parts(language):
    letters = real_letters()
    for name in ("answer", "missing", "received", "refused", "failed", "unconfirmed"):
        said = letters.say(f"late_{name}", language, {"huduma": "M" * 40, "jibu": ""})
        assert len(split(said)) <= 1
