"""On a channel that sends the last input alone a repeated request is told from a repeated key."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.fakes.dialogue import ASHA, NOON, World
from ussdapp.core.marked import Marked
from ussdapp.core.session import Shown

WORDS = "Maji hayatoki Mbezi"
PATH = ("9", "2", "1", "1", "ega", WORDS, "1")  # the last two are the same key as the one to send


@dataclass
class LastKey:
    """A handset of such a channel: it counts its requests from the dial, or tells one number."""

    world: World
    counts: bool
    count: int = 0
    now: object = NOON
    sent: list[Marked] = field(default_factory=list)

    def dials(self) -> Shown:
        return self.sends("", first=True)

    def keys_in(self, *texts: str, every: float = 5.0) -> Shown:
        for text in texts:
            self.count += self.counts
            self.now += timedelta(seconds=every)  # type: ignore[operator]
            shown = self.sends(text)
        return shown

    def sends(self, text: str, *, first: bool = False) -> Shown:
        told = ("beem", "s1", ASHA, "", text, False)
        self.sent.append(Marked(*told, number=str(self.count), first=first))
        return self.again()

    def again(self, back: int = 1, after: float = 0.0) -> Shown:
        """The request once more, or one before it, so many seconds later, in another process."""
        return self.world.process()(self.sent[-back], self.now + timedelta(seconds=after))  # type: ignore[operator]


@pytest.fixture(params=[True, False], ids=["numbered", "one number"])
def phone(request: pytest.FixtureRequest, world: World) -> LastKey:
    return LastKey(world, request.param)


def test_every_request_repeated_at_once_changes_nothing(phone: LastKey, world: World) -> None:
    phone.dials()
    keys = (*PATH, "1") if phone.counts else (*PATH, "1", "1")  # asked once more: see below
    for key in keys:
        shown = phone.keys_in(key)
        assert [phone.again(after=after) for after in (0.0, 0.5, 1.5)] == [shown] * 3
    assert shown.ends
    assert [case.words for case in world.cases.cases.values()] == [WORDS]


def test_the_same_key_on_two_screens_is_two_keys(phone: LastKey) -> None:
    phone.dials()
    assert phone.keys_in("9", "2", "1", "1", every=2.5).text.startswith("Chagua taasisi")


def test_a_numbered_request_is_known_however_late(world: World) -> None:
    phone = LastKey(world, counts=True)
    phone.dials()
    shown = phone.keys_in(*PATH)
    assert [phone.again(back, after=90.0) for back in (1, 2, 3, 4)] == [shown] * 4
    assert phone.keys_in("1").ends
    assert len(world.cases.cases) == 1


def test_without_numbers_a_late_repeat_files_nothing(world: World) -> None:
    # it looks like the key that confirms, so the citizen is asked once more
    phone = LastKey(world, counts=False)
    phone.dials()
    confirm = phone.keys_in(*PATH)
    assert phone.again(after=6.0) == confirm
    assert world.cases.filings == 0
    assert phone.keys_in("1", every=12.0).ends
    assert len(world.cases.cases) == 1


def test_without_numbers_a_citizen_who_takes_their_time_is_believed(world: World) -> None:
    phone = LastKey(world, counts=False)
    phone.dials()
    phone.keys_in(*PATH)
    assert phone.keys_in("1", every=21.0).ends
    assert len(world.cases.cases) == 1


def test_a_repeated_answer_to_the_offer_answers_it_once(phone: LastKey, world: World) -> None:
    phone.dials()
    left = phone.keys_in(*PATH[:4])
    again = LastKey(world, phone.counts)
    again.sent.clear()
    told = ("beem", "s2", ASHA, "")
    answer = world.process()
    assert answer(Marked(*told, "", False, "0", True), NOON).text.startswith("Endelea")
    taken = Marked(*told, "1", False, "1" if phone.counts else "0")
    later = NOON + timedelta(seconds=3)
    assert [answer(taken, later) for _ in range(3)] == [left] * 3


def test_a_repeated_dial_is_no_key(phone: LastKey) -> None:
    phone.dials()
    shown = phone.keys_in("9")
    assert phone.again(2, after=30.0) == shown


def test_a_lost_dialogue_begins_again_once(phone: LastKey, world: World) -> None:
    phone.dials()
    phone.keys_in("9", "2")
    world.sessions.wipe()
    lost = phone.keys_in("1")
    assert lost.text.startswith("Samahani, tuanze upya.")
    assert lost.text.endswith(phone.again().text)
