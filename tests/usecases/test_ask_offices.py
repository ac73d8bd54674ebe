"""Institutions asked from a dialogue: on time, late, not at all, and never twice for one key."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.fakes.back_offices import FakeQuestions
from tests.fakes.dialogue import NOON, Handset, World
from tests.fakes.every_kind import Institution, every_kind
from tests.fakes.served_menus import ServedMenus
from ussdapp.core.back_office import Asker, Mode, Relayed
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown
from ussdapp.ports import OfficeGarbled, OfficeLate, OfficeUnavailable

BILL = ("1", "1", "9945 5045 1254")
SOCIETY = ("1", "2", "maji", "ilala", "Umoja wa wavuvi", "1")


@pytest.fixture
def office() -> Institution:
    return Institution()


@pytest.fixture
def questions() -> FakeQuestions:
    return FakeQuestions()


@pytest.fixture
def world(office: Institution, questions: FakeQuestions) -> World:
    return World(menus=ServedMenus(every_kind()), offices=office, questions=questions)


def dialled(world: World, session_id: str = "s1") -> Handset:
    phone = Handset(world.process(), session_id=session_id)
    phone.dials()
    return phone


# -- look-ups


def test_a_bill_is_shown_with_the_details_its_menu_names(world: World) -> None:
    shown = dialled(world).keys_in(*BILL)
    assert shown == Shown("Bili 994550451254: Asha Juma anadaiwa TZS 20,500.", ends=True)


def test_what_is_not_known_is_asked_for_again(world: World, office: Institution) -> None:
    phone = dialled(world)
    assert phone.keys_in("1", "1", "990000000000").text.startswith("Weka namba ya malipo:")
    assert phone.keys_in("994550451254").ends
    assert [data for _, data in office.asked] == ["990000000000", "994550451254"]


def test_a_detail_that_was_not_sent_is_shown_as_nothing(world: World, office: Institution) -> None:
    office.details = {"detail_01": "TZS 1"}
    assert dialled(world).keys_in(*BILL).text == "Bili 994550451254:  anadaiwa TZS 1."


def test_a_long_detail_is_paged_and_nothing_of_it_lost(world: World, office: Institution) -> None:
    office.details = {"detail_01": "TZS 1", "name": "Kampuni ya mfano " * 20}
    phone = dialled(world)
    shown, read = phone.keys_in(*BILL), []
    while not shown.ends:
        read.append(shown.text.split("\n99 ")[0])
        shown = phone.keys_in("99")
    read.append(shown.text)
    assert " ".join(read).split() == (
        f"Bili 994550451254: {'Kampuni ya mfano ' * 20} anadaiwa TZS 1.".split()
    )
    assert len(office.asked) == 1


def test_a_late_bill_is_told_by_sms(
    world: World, office: Institution, questions: FakeQuestions
) -> None:
    office.trouble = OfficeLate("demo.bill")
    phone = dialled(world)
    assert phone.keys_in(*BILL) == Shown("Jibu litakuja kwa SMS.", ends=True)
    assert phone.sends("*".join(BILL)).text == "Jibu litakuja kwa SMS."
    (kept,) = questions.kept
    question = kept.question
    assert (question.office, question.mode, question.title) == ("demo.bill", Mode.LOOKUP, "Bili")
    assert question.asked == {"data": "994550451254"}
    assert question.institution == "demo"
    assert question.sentences == {"found": "Bili 994550451254: {jina} anadaiwa {deni}."}
    assert question.names == {"detail_01": "deni", "name": "jina"}
    assert len(office.asked) == 1


@pytest.mark.parametrize("trouble", [OfficeUnavailable("x"), OfficeGarbled("x")])
def test_an_institution_that_is_away_is_said_to_be(
    world: World, office: Institution, trouble: Exception
) -> None:
    office.trouble = trouble
    phone = dialled(world)
    assert phone.keys_in(*BILL).text.startswith("Haipatikani kwa sasa.")
    office.trouble = None
    assert phone.keys_in("1").text.startswith("Huduma")


def test_without_institutions_nothing_is_asked(world: World) -> None:
    world.offices = None
    assert dialled(world).keys_in(*BILL).text.startswith("Haipatikani kwa sasa.")


# -- answers handed in


def test_a_society_is_registered_once_whatever_is_repeated(
    world: World, office: Institution
) -> None:
    phone = dialled(world)
    shown = phone.keys_in(*SOCIETY)
    assert shown == Shown("Imepokelewa. Namba 1", ends=True)
    for count in range(len(SOCIETY), 0, -1):
        phone.sends("*".join(SOCIETY[:count]))
    assert phone.sends("*".join(SOCIETY)) == shown
    assert list(office.taken.values()) == [{"chama": "Umoja wa wavuvi", "wilaya": "ilala"}]
    assert len(office.asked) == 1


def test_redis_wiped_after_it_the_institution_hears_the_same_request_again(
    world: World, office: Institution
) -> None:
    phone = dialled(world)
    shown = phone.keys_in(*SOCIETY)
    world.sessions.wipe()
    assert replace(phone, answer=world.process()).sends("*".join(SOCIETY)) == shown
    assert len(office.taken) == 1


def test_four_threads_hand_in_one_request(world: World, office: Institution) -> None:
    phone = dialled(world)
    phone.keys_in(*SOCIETY[:-1])
    with ThreadPoolExecutor(4) as pool:
        shown = set(pool.map(phone.sends, ["*".join(SOCIETY)] * 4))
    assert len(shown) == 1
    assert len(office.taken) == 1


@pytest.mark.parametrize("trouble", [OfficeLate("x"), OfficeGarbled("x")])
def test_what_may_have_been_taken_is_kept_to_be_asked(
    world: World, office: Institution, questions: FakeQuestions, trouble: Exception
) -> None:
    office.trouble = trouble
    assert dialled(world).keys_in(*SOCIETY).text == "Jibu litakuja kwa SMS."
    (kept,) = questions.kept
    assert kept.question.mode is Mode.SUMMARY
    assert kept.question.asked == {"chama": "Umoja wa wavuvi", "wilaya": "ilala"}


def test_a_refusal_is_told_in_the_institution_s_words(world: World) -> None:
    path = (*SOCIETY[:-2], "Kataa", "1")
    assert dialled(world).keys_in(*path).text == "Imekataliwa. Namba 1"


def test_two_societies_of_one_dialogue_are_two(world: World, office: Institution) -> None:
    office.trouble = OfficeUnavailable("x")
    phone = dialled(world)
    phone.keys_in(*SOCIETY)
    office.trouble = None
    phone.keys_in("1", *SOCIETY)
    second = dialled(world, "s2")
    second.keys_in(*SOCIETY)
    assert len(office.taken) == 2


def test_a_deep_dial_hands_in_nothing_that_was_not_shown(world: World, office: Institution) -> None:
    phone = Handset(world.process())
    deep = phone.sends("*".join(SOCIETY))
    assert deep.text.startswith("Sajili Umoja wa wavuvi")
    assert office.taken == {}
    assert phone.sends("*".join((*SOCIETY, "1"))).ends
    assert len(office.taken) == 1


# -- applications


def test_an_application_hears_every_key_once(world: World, office: Institution) -> None:
    phone = dialled(world)
    shown = [phone.keys_in(key) for key in ("1", "4", "1", "maji*1", "5")]
    assert shown[1].text == "Programu: karibu, hatua 1\n1 Moja\n9 Rudisha\n00 Mwanzo"
    assert shown[3].text.startswith("Programu: maji*1, hatua 3")
    for text in ("1*4", "1*4*1", "1*4*1*maji*1*5", "1*4*1*maji*1"):
        phone.sends(text)
    assert office.keyed == [None, "1", "maji*1", "5"]


def test_an_application_hands_the_dialogue_back(world: World) -> None:
    phone = dialled(world)
    assert phone.keys_in("1", "4", "9").text.startswith("Kata yako: Mbezi")
    assert phone.keys_in("1") == Shown("Kwaheri.", ends=True)


def test_an_application_ends_the_dialogue(world: World, office: Institution) -> None:
    phone = dialled(world)
    shown = phone.keys_in("1", "4", "8")
    while not shown.ends:
        shown = phone.keys_in("99")
    assert phone.keys_in("1") == shown
    assert office.keyed == [None, "8"]


@pytest.mark.parametrize("processes", ["same", "other"])
def test_redis_wiped_under_an_application_it_begins_anew_with_an_apology(
    world: World, office: Institution, processes: str
) -> None:
    phone = dialled(world)
    phone.keys_in("1", "4", "1", "5")
    world.sessions.wipe()
    if processes == "other":
        phone = replace(phone, answer=world.process())
    lost = phone.keys_in("3")
    assert lost.text.startswith("Samahani, tuanze upya.\nProgramu: karibu, hatua 4")
    assert phone.sends("*".join(phone.keys)) == lost
    assert phone.keys_in("1").text.startswith("Programu: 1, hatua 5")
    assert office.keyed == [None, "1", "5", None, "1"]


def test_with_redis_down_no_application_is_asked_key_by_key(
    world: World, office: Institution
) -> None:
    world.sessions.down = True
    phone = dialled(world)
    phone.keys_in("1", "4")
    assert phone.keys_in("1").text.startswith("Haipatikani kwa sasa.")
    assert office.keyed == [None]


def test_a_deep_dial_to_an_application_begins_it(world: World, office: Institution) -> None:
    phone = Handset(world.process())
    assert phone.sends("1*4").text.startswith("Programu: karibu")
    assert phone.sends("1*4*1").text.startswith("Programu: 1")
    assert office.keyed == [None, "1"]


def test_an_application_that_is_late_is_left(world: World, office: Institution) -> None:
    phone = dialled(world)
    phone.keys_in("1", "4")
    office.trouble = OfficeLate("demo.app")
    late = phone.keys_in("1")
    assert late.text.startswith("Haipatikani kwa sasa.")
    office.trouble = None
    assert phone.sends("1*4*1") == late
    assert phone.keys_in("1").text.startswith("Huduma")


def test_a_dialogue_of_last_keys_goes_through_an_application(
    world: World, office: Institution
) -> None:
    answer = world.process()
    for key in ("", "1", "4", "1", "1", "9"):
        keyed = Keyed("beem", "b1", Handset(answer).msisdn, "*152*00#", key, cumulative=False)
        shown = answer(keyed, NOON)
    assert shown.text.startswith("Kata yako: Mbezi")
    assert office.keyed == [None, "1", "1", "9"]


class Slow(Institution):
    """While it is told a key, the same callback comes once more."""

    rival: Handset | None = None
    heard: Shown | None = None

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        if keyed == "5" and self.rival is not None:
            rival, self.rival = self.rival, None
            self.heard = rival.sends("1*4*5")
        return super().relay(office, asker, keyed)


def test_a_repeat_while_an_application_is_told_a_key_is_not_told_to_it() -> None:
    office = Slow()
    world = World(menus=ServedMenus(every_kind()), offices=office)
    pauses: list[float] = []
    phone = dialled(world)
    phone.keys_in("1", "4")
    office.rival = replace(phone, answer=replace(world.process(), pause=pauses.append))
    assert phone.keys_in("5").text.startswith("Programu: 5")
    assert office.keyed == [None, "5"]
    assert office.heard == Shown("Haipatikani.", ends=True)  # it waited, and the first never came
    assert sum(pauses) == pytest.approx(6.0)


def test_a_rival_that_waits_shows_what_the_first_was_told(world: World) -> None:
    phone = dialled(world)
    phone.keys_in("1", "4")
    (key,) = world.sessions.records
    waited: list[Shown] = []

    def pause(_seconds: float) -> None:
        world.sessions.claims.clear()  # the first has died, and its minute is over

    rival = replace(phone, answer=replace(world.process(), pause=pause))
    with_claim = world.sessions.claim
    world.sessions.claim = lambda name: with_claim(name) and bool(waited)  # type: ignore[method-assign]
    waited.append(Shown("", ends=False))
    assert rival.sends("1*4*5").text.startswith("Programu: 5")
    assert key in world.sessions.records
