"""Answering a dialogue: one effect, identical bytes, whatever happens to Redis or the callbacks."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.fakes.dialogue import ASHA, JUMA, NOON, FakeSessions, Handset, World, real_menu
from ussdapp.core import gsm7
from ussdapp.core.case import Kind, Visibility
from ussdapp.core.dialogue import begin
from ussdapp.core.inbound import Keyed
from ussdapp.core.menu import Menu
from ussdapp.core.reference import Reference
from ussdapp.core.session import Record, Session, Shown
from ussdapp.ports import Sessions, Unavailable
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions

WORDS = "Maji hayatoki Mbezi tangu Jumatatu"
PATH = ("9", "2", "1", "1", "ega", WORDS, "1", "1")
FIRST = begin(real_menu(), "sw").text
UNAVAILABLE = "Samahani, huduma haipatikani kwa sasa. Jaribu tena baadaye."


@pytest.fixture
def world() -> World:
    return World()


def handset(world: World) -> Handset:
    return Handset(world.process())


@dataclass
class Elsewhere:
    """Every callback of one handset goes to another process, as behind several workers."""

    world: World

    def __call__(self, keyed: Keyed, now: object) -> Shown:
        return self.world.process()(keyed, NOON)


# -- filing


def test_a_complaint_is_filed_with_a_receipt_and_a_doorbell(world: World) -> None:
    phone = handset(world)
    phone.dials()
    shown = phone.keys_in(*PATH)
    (case,) = world.cases.cases.values()
    assert shown.ends
    assert str(case.reference) in shown.text
    assert (case.kind, case.visibility, case.institution) == (
        Kind.COMPLAINT,
        Visibility.NAMED,
        "ega",
    )
    assert (case.words, case.msisdn, case.language, case.medium) == (WORDS, ASHA, "sw", "ussd")
    assert [told.effect for told in world.cases.told] == [f"{case.effect}:receipt"]
    assert str(case.reference) in world.cases.told[0].text
    assert world.doorbells.rung == ["sandbox"]


def test_an_anonymous_complaint_is_followed_by_no_sms(world: World) -> None:
    phone = handset(world)
    phone.dials()
    shown = phone.keys_in(*PATH[:-2], "3", "1")
    (case,) = world.cases.cases.values()
    assert case.visibility is Visibility.ANONYMOUS
    assert str(case.reference) in shown.text
    assert world.cases.told == []
    assert world.doorbells.rung == []


def test_a_reference_already_taken_is_drawn_again(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    world.numbers = chain([48213000001], [5])
    other = replace(handset(world), session_id="ATUid_2", msisdn=JUMA)
    other.dials()
    assert str(Reference.numbered(5)) in other.keys_in(*PATH).text


def test_when_every_reference_is_taken_none_is_shown(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    world.numbers = iter([48213000001] * 20)
    other = replace(handset(world), session_id="ATUid_2", msisdn=JUMA)
    other.dials()
    assert other.keys_in(*PATH) == Shown(UNAVAILABLE, ends=True)
    assert len(world.cases.cases) == 1


# -- repeats, late callbacks, parallel callbacks


def test_every_callback_repeated_gets_the_same_bytes_and_one_effect(world: World) -> None:
    phone = handset(world)
    texts = ["", *("*".join(PATH[:count]) for count in range(1, len(PATH) + 1))]
    first = [phone.sends(text) for text in texts for _ in range(2)]
    assert first[0::2] == first[1::2]
    assert [phone.sends(text) for text in texts] == first[0::2]
    assert len(world.cases.cases) == 1


def test_late_callbacks_write_nothing(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    kept = dict(world.sessions.records)
    for count in range(len(PATH)):
        phone.sends("*".join(PATH[:count]))
    assert world.sessions.records == kept


def parallel(answer: object, texts: list[str], session_id: str) -> list[list[Shown]]:
    """Four threads send each callback at once; what each callback was answered."""
    phones = [Handset(answer, session_id=session_id) for _ in range(4)]  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as pool:
        return [list(pool.map(Handset.sends, phones, [text] * 4)) for text in texts]


TEXTS = ["", *("*".join(PATH[:count]) for count in range(1, len(PATH) + 1))]


@pytest.mark.parametrize("processes", ["one", "several"])
def test_four_threads_with_the_same_callbacks_have_one_effect(world: World, processes: str) -> None:
    answer = world.process() if processes == "one" else Elsewhere(world)
    for shown in parallel(answer, TEXTS, "ATUid_1"):
        assert len(set(shown)) == 1
    assert len(world.cases.cases) == 1
    assert len(world.cases.told) == 1


# -- a typed star


@pytest.mark.parametrize(
    "words", ["Piga *152*00# kesho", "a*1*1*1", "***", "bei*5*2*3", "9*2*1*1*ega*x*1*1"]
)
def test_a_star_that_was_typed_stays_in_the_words(world: World, words: str) -> None:
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    phone.dials()
    phone.keys_in("9", "2", "1", "1", "ega", words, "1", "1")
    assert [case.words for case in world.cases.cases.values()] == [words]


@settings(deadline=None)
@given(st.text(alphabet="*#019abé😀 ", min_size=3, max_size=40), st.sampled_from("123"))
def test_any_words_are_filed_as_typed(words: str, who: str) -> None:
    world = World()
    phone = handset(world)
    phone.dials()
    phone.keys_in("9", "2", "1", "1", "ega", words)
    phone.keys_in(who, "1")
    kept = [case.words for case in world.cases.cases.values()]
    assert kept == ([words.strip()] if len(words.strip()) >= 3 else [])


# -- Redis lost or down


@pytest.mark.parametrize("lost_at", range(1, len(PATH) + 1))
def test_redis_wiped_before_any_step_the_next_key_shows_the_right_screen(lost_at: int) -> None:
    expected = shown_by(World(), None)
    assert shown_by(World(), lost_at) == expected


def shown_by(world: World, lost_at: int | None) -> list[Shown]:
    """The screens of PATH, Redis wiped before one key."""
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    screens = [phone.dials()]
    for number, key in enumerate(PATH, 1):
        if number == lost_at:
            world.sessions.wipe()
        screens.append(phone.keys_in(key))
    assert len(world.cases.cases) == 1
    return screens


def test_redis_wiped_after_the_effect_the_repeat_gets_the_same_reference(world: World) -> None:
    phone = handset(world)
    phone.dials()
    filed = phone.keys_in(*PATH)
    world.sessions.wipe()
    assert phone.sends("*".join(PATH)) == filed
    assert len(world.cases.cases) == 1


def test_with_redis_down_the_whole_dialogue_goes_on(world: World) -> None:
    expected = shown_by(World(), None)
    world.sessions.down = True
    assert shown_by(world, None) == expected


def test_redis_wiped_in_an_english_dialogue_it_stays_english(world: World) -> None:
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    phone.dials()
    phone.keys_in("8", "2", "9")
    world.sessions.wipe()
    assert phone.keys_in("2").text.startswith("e-Mrejesho: speak to a public institution")


def test_a_wiped_dialogue_remembers_the_tries_at_a_reference(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    (case,) = world.cases.cases.values()
    again = replace(handset(world), session_id="ATUid_2")
    again.dials()
    again.keys_in("9", "2", "2", "1234", "482130000016")
    world.sessions.wipe()
    assert str(case.reference) in again.keys_in(case.reference.digits).text


# -- deep dials and impossible paths


@pytest.mark.parametrize("begun", [False, True], ids=["first callback", "after the first screen"])
def test_a_deep_dial_past_the_confirmation_files_nothing_until_it_is_confirmed(
    world: World, begun: bool
) -> None:
    phone = handset(world)
    if begun:
        phone.dials()
    deep = phone.sends("*".join(PATH))
    assert deep.text.startswith("Thibitisha: Lalamiko kwa EGA")
    assert phone.sends("*".join(PATH)) == deep
    assert world.cases.filings == 0
    assert phone.sends("*".join((*PATH, "1"))).ends
    assert len(world.cases.cases) == 1


def test_a_deep_dial_by_four_threads_files_nothing(world: World) -> None:
    (shown,) = parallel(world.process(), ["*".join(PATH)], "ATUid_1")
    assert len(set(shown)) == 1
    assert world.cases.filings == 0


def test_a_deep_dial_with_redis_down_files_nothing(world: World) -> None:
    world.sessions.down = True
    assert handset(world).sends("*".join(PATH)) == Shown(UNAVAILABLE, ends=True)
    assert world.cases.filings == 0


def test_a_deep_dial_to_a_menu_shows_it(world: World) -> None:
    deep = handset(world).sends("9*2")
    phone = replace(handset(world), session_id="ATUid_2", msisdn=JUMA)
    phone.dials()
    assert deep == phone.keys_in("9", "2")


def test_a_text_that_does_not_go_on_from_what_is_kept_shows_the_kept_screen(world: World) -> None:
    phone = handset(world)
    phone.dials()
    kept = phone.keys_in("9", "2", "1")
    assert phone.sends("8*2*9") == kept
    assert phone.sends("9*2*1*0") != kept


def test_keys_after_the_end_change_nothing(world: World) -> None:
    phone = handset(world)
    phone.dials()
    end = phone.keys_in(*PATH)
    assert phone.keys_in("1") == end
    assert phone.keys_in("00", "9") == end
    assert len(world.cases.cases) == 1


@pytest.mark.parametrize(
    "other",
    [
        Keyed("at", "ATUid_1", JUMA, "*152*00#", ""),
        Keyed("beem", "ATUid_1", ASHA, "*152*00#", ""),
    ],
    ids=["another MSISDN", "another channel"],
)
def test_the_same_session_id_from_elsewhere_is_another_dialogue(world: World, other: Keyed) -> None:
    answer = world.process()
    asha = Keyed("at", "ATUid_1", ASHA, "*152*00#", "")
    for text in ("", *TEXTS[1:-2]):
        answer(replace(asha, text=text), NOON)
    assert answer(replace(other, text="9"), NOON).text.startswith("Huduma zaidi")
    assert len(world.sessions.records) == 2


# -- follow-up and language


def test_a_citizen_follows_up_their_own_case_only(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH)
    (case,) = world.cases.cases.values()
    shown = {}
    for msisdn in (ASHA, JUMA):
        asking = replace(handset(world), msisdn=msisdn, session_id="ATUid_3")
        asking.dials()
        shown[msisdn] = asking.keys_in("9", "2", "2", str(case.reference))
    stranger = replace(handset(world), msisdn=JUMA, session_id="ATUid_4")
    stranger.dials()
    stranger.keys_in("2")  # not where the last dialogue was left
    assert "Hali: Umepokelewa" in shown[ASHA].text
    assert shown[JUMA] == stranger.keys_in("9", "2", "2", "000000000000")


def test_a_chosen_language_is_remembered_and_spoken_next_time(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in("8", "2")
    assert world.dialogues.languages == {ASHA: "en"}
    next_time = replace(handset(world), session_id="ATUid_2")
    assert next_time.dials().text.startswith("Welcome to Government services")


def test_a_late_repeat_of_an_old_choice_of_language_is_not_remembered(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in("8", "2", "8", "1")
    phone.sends("8*2")
    assert world.dialogues.languages == {ASHA: "sw"}


# -- PostgreSQL down


def test_without_postgresql_the_service_is_not_available_and_no_reference_is_shown(
    world: World,
) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH[:-1])
    world.cases.down = True
    assert phone.keys_in("1") == Shown(UNAVAILABLE, ends=True)
    world.cases.down = False
    assert "4821-3" in phone.sends("*".join(PATH)).text


def test_without_postgresql_a_dial_begins_in_kiswahili(world: World) -> None:
    world.dialogues.languages[ASHA] = "en"
    world.dialogues.down = True
    assert handset(world).dials() == Shown(FIRST, ends=False)


def test_a_dialogue_that_began_without_postgresql_files_once_it_is_back(world: World) -> None:
    world.dialogues.down = True
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH[:-1])
    world.dialogues.down = False
    filed = phone.keys_in(PATH[-1])
    assert filed.ends
    assert phone.sends("*".join(PATH)) == filed
    assert len(world.cases.cases) == 1


def test_one_session_id_used_for_two_complaints_files_both(world: World) -> None:
    first, second = handset(world), handset(world)
    first.dials()
    reference = first.keys_in(*PATH)
    world.sessions.wipe()
    other = tuple("Maji hayatoki tangu jana" if key == WORDS else key for key in PATH)
    second.dials()
    filed = second.keys_in(*other)
    assert filed != reference
    assert second.sends("*".join(other)) == filed
    assert [case.words for case in world.cases.cases.values()] == [
        WORDS,
        "Maji hayatoki tangu jana",
    ]


def test_without_postgresql_a_dialogue_under_way_still_shows_menus(world: World) -> None:
    phone = handset(world)
    phone.dials()
    world.dialogues.down = world.cases.down = True
    assert phone.keys_in("9", "2", "3").text.startswith("Tuma maoni au malalamiko")
    assert phone.keys_in("00", "8", "2").text.startswith("Welcome")


def test_without_redis_and_postgresql_a_screen_is_shown_all_the_same(world: World) -> None:
    world.dialogues.down = world.cases.down = world.sessions.down = True
    for text in TEXTS:
        assert handset(world).sends(text).text == UNAVAILABLE


# -- hostile input


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=8), st.booleans())
def test_any_text_gets_a_screen_of_gsm7_within_the_budget(pieces: list[str], dials: bool) -> None:
    phone = handset(World())
    if dials:
        phone.dials()
    for count in range(len(pieces) + 1):
        shown = phone.sends("*".join((*PATH[: count * 2], *pieces[:count])))
        width = gsm7.septets(shown.text)
        assert width is not None
        assert 0 < width <= 160


def test_more_than_one_dialogue_may_key_ends_it_politely(world: World) -> None:
    phone = handset(world)
    phone.dials()
    shown = phone.sends("9*" * 5000)
    assert shown.ends
    assert shown.text.startswith("Samahani, ulichoandika ni kirefu mno.")


def test_a_path_of_endless_lookups_ends_politely(world: World) -> None:
    phone = handset(world)
    phone.dials()
    world.sessions.wipe()
    assert phone.sends("9*2*2" + "*482130000015" * 20).ends


# -- menus that change, processes that restart


def test_a_dialogue_stays_on_the_menu_it_began_with(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in("9", "2", "1", "1")
    world.menus.serve(without_institutions(real_menu()))
    assert phone.keys_in("ega").text.startswith("Andika maelezo yako kwa EGA.")


def test_a_dialogue_whose_menu_is_forgotten_confirms_anew(world: World) -> None:
    phone = handset(world)
    phone.dials()
    phone.keys_in(*PATH[:-1])
    (key,) = world.sessions.records
    world.sessions.records[key] = replace(world.sessions.records[key], version="forgotten")
    assert phone.keys_in("1").text.startswith("Thibitisha: Lalamiko kwa EGA")
    assert world.cases.filings == 0
    assert phone.keys_in("1").ends
    assert len(world.cases.cases) == 1


def without_institutions(menu: Menu) -> Menu:
    fewer = {"institutions": menu.lists["institutions"][-1:]}
    return Menu(menu.first, menu.words, menu.screens, fewer, menu.values, menu.budget)


# -- aggregators that send the last key only


@dataclass
class LastKey:
    """A handset through an aggregator that sends the last key only."""

    world: World
    session_id: str = "ATUid_9"
    answers: list[Shown] = field(default_factory=list)

    def sends(self, *texts: str) -> Shown:
        for text in texts:
            keyed = Keyed("beem", self.session_id, ASHA, "*152*00#", text, cumulative=False)
            self.answers.append(self.world.process()(keyed, NOON))
        return self.answers[-1]


def test_a_last_key_dialogue_files_a_complaint(world: World) -> None:
    phone = LastKey(world)
    assert phone.sends("").text == FIRST
    assert phone.sends(*PATH).ends
    assert [case.words for case in world.cases.cases.values()] == [WORDS]


def test_a_last_key_dialogue_goes_back_twice(world: World) -> None:
    phone = LastKey(world)
    phone.sends("", "9", "2", "0", "0")
    assert phone.answers[-1].text == FIRST


def test_a_lost_last_key_dialogue_begins_again_and_says_so(world: World) -> None:
    phone = LastKey(world)
    phone.sends("", "9", "2")
    world.sessions.wipe()
    assert phone.sends("1").text == f"Samahani, tuanze upya.\n{FIRST}"
    assert phone.sends("9").text.startswith("Huduma zaidi")


def test_a_last_key_dialogue_without_redis_is_not_available(world: World) -> None:
    phone = LastKey(world)
    world.sessions.down = True
    assert phone.sends("9") == Shown(UNAVAILABLE, ends=True)


# -- round trips


def test_a_plain_step_takes_one_round_trip_to_redis(world: World) -> None:
    phone = handset(world)
    phone.dials()
    world.sessions.trips = 0
    phone.keys_in("9", "2", "1", "1", "ega", "Piga *152*00#", "1")
    assert world.sessions.trips == 7


# -- the same on a real Redis


def real_sessions(url: str) -> RedisSessions:
    client = Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    return RedisSessions(client, Seal(b"s" * 32, b"i" * 32))


@pytest.fixture
def real_world(redis_url: str) -> World:
    return World(sessions=real_sessions(redis_url))  # type: ignore[arg-type]


@pytest.mark.parametrize("processes", ["one", "several"])
def test_on_redis_four_threads_have_one_effect(real_world: World, processes: str) -> None:
    answer = real_world.process() if processes == "one" else Elsewhere(real_world)
    for shown in parallel(answer, TEXTS, secrets.token_hex(8)):
        assert len(set(shown)) == 1
    assert len(real_world.cases.cases) == 1
    assert len(real_world.cases.told) == 1


@pytest.mark.parametrize("lost_at", [3, 6, 8])
def test_on_redis_a_wipe_shows_the_right_screen_next(redis_url: str, lost_at: int) -> None:
    sessions: Sessions = real_sessions(redis_url)
    world = World(sessions=sessions)  # type: ignore[arg-type]
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    screens = [phone.dials()]
    for number, key in enumerate(PATH, 1):
        if number == lost_at:
            Redis.from_url(redis_url).flushall()
        screens.append(phone.keys_in(key))
    assert screens == shown_by(World(), None)


def test_a_session_store_that_nobody_serves_leaves_the_dialogue_running() -> None:
    world = World(sessions=real_sessions("redis://127.0.0.1:1"))  # type: ignore[arg-type]
    phone = handset(world)
    phone.dials()
    assert phone.keys_in(*PATH).ends
    assert len(world.cases.cases) == 1


class SlowSessions(FakeSessions):
    """Fails on one trip, counted from the first."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.fails_at = fails_at

    def _reach(self) -> None:
        super()._reach()
        if self.trips == self.fails_at:
            raise Unavailable("sessions")


@pytest.mark.parametrize("fails_at", range(1, 12))
def test_redis_failing_once_changes_no_screen(fails_at: int) -> None:
    world = World(sessions=SlowSessions(fails_at))
    phone = handset(world)
    shown = [phone.dials(), *(phone.keys_in(key) for key in PATH)]
    assert shown == shown_by(World(), None)
    assert [case.words for case in world.cases.cases.values()] == [WORDS]


def test_a_replay_ten_minutes_later_is_answered_as_before(world: World) -> None:
    phone = handset(world)
    phone.dials()
    filed = phone.keys_in(*PATH)
    world.sessions.wipe()
    phone.now = NOON + timedelta(minutes=30)
    assert phone.sends("*".join(PATH)) == filed


def test_neither_record_nor_session_prints_a_word_of_a_citizen() -> None:
    assert WORDS not in repr(Record("1", "sw", PATH))
    assert WORDS not in repr(Session("a", "sw", {"maelezo": WORDS}))
