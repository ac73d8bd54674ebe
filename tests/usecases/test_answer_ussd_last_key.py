"""Dialogues through an aggregator that sends the last key only."""

from dataclasses import dataclass, field

from tests.fakes.dialogue import ASHA, NOON, World
from tests.usecases.answering import FIRST, PATH, UNAVAILABLE, WORDS
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown


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
