"""What is kept of a dialogue is its keys: walked again over the tree that ships, they give the same
screens. Five hundred dialogues are keyed at random, from a seed."""

from random import Random

import pytest

from tests.fakes.dialogue import FakeCases, Handset, World
from tests.fakes.served_menus import ServedMenus
from tests.storms.walks import TYPED, keys_of, tree
from tests.transcripts.offices import Institutions
from ussdapp.core.filing import session_key
from ussdapp.core.inbound import Keyed
from ussdapp.core.replay import replay
from ussdapp.core.session import Record, Shown

WALKS, LEGS = 500, 10  # in so many tests
MOST_KEYS = 14
ODD = ("", " 1 ", "1*2", "*", "99", "0", "00", "8888", "Neno refu " * 9, "😀")


class AnyCases(FakeCases):
    """The directory has more institutions than the fake's seven."""

    def file(self, case, receipt):  # type: ignore[no-untyped-def]
        self.cases.setdefault(case.effect, case)
        return self.cases[case.effect].reference


class Dialogue:
    """One random dialogue, and the screens it was shown."""

    def __init__(self, random: Random, number: int) -> None:
        institutions = Institutions()
        self.random = random
        self.world = World(
            offices=institutions.offices,
            questions=institutions.questions,
            menus=ServedMenus(tree()),
            cases=AnyCases(),
        )
        self.phone = Handset(self.world.process(), session_id=f"s{number}")
        self.screens = [self.phone.dials()]
        while not self.screens[-1].ends and len(self.screens) <= MOST_KEYS:
            self.screens.append(self.phone.keys_in(self._key()))

    @property
    def shown(self) -> dict[str, Shown]:
        """The screens by the text they answer; the first, where a text came twice."""
        keys = self.phone.keys
        texts = ["*".join(keys[:count]) for count in range(len(self.screens))]
        return dict(zip(reversed(texts), reversed(self.screens), strict=True))

    @property
    def record(self) -> Record:
        phone = self.phone
        keyed = Keyed(phone.channel, phone.session_id, phone.msisdn, "*152*00#", "")
        return self.world.sessions.records[session_key(keyed)]

    def _key(self) -> str:
        session = replay(tree(), self.record).session
        if self.random.random() < 0.1:
            return self.random.choice((*ODD, *TYPED))
        keys = keys_of(tree(), session)
        # a way out is as likely as all else together in keys_of, and would end every walk early
        return self.random.choice(keys[:-3] if self.random.random() < 0.85 and keys[3:] else keys)


@pytest.mark.parametrize("leg", range(LEGS))
def test_a_dialogue_walked_again_from_its_keys_shows_the_same_screens(leg: int) -> None:
    random = Random(f"replay {leg}")
    deep = 0
    for number in range(WALKS // LEGS):
        walked = Dialogue(random, number)
        record, shown = walked.record, walked.shown
        for count in range(len(record.keys) + 1):
            before = record.keyed(record.keys[:count])
            turn = replay(tree(), before)
            # of "1*2" keyed at once the screen between was never shown, and nothing keyed at
            # first is the dial once more
            if (text := before.seen or "") in shown and before.keys != ("",):
                assert Shown(turn.text, turn.ends) == shown[text], record.keys[:count]
                deep += 1
    assert deep > 3 * WALKS // LEGS


@pytest.mark.parametrize("leg", range(LEGS))
def test_another_process_shows_the_same_screens_for_the_same_keys(leg: int) -> None:
    random = Random(f"process {leg}")
    for number in range(WALKS // LEGS):
        walked = Dialogue(random, number)
        other = Handset(walked.world.process(), session_id=f"s{number}")
        keys = walked.phone.keys
        for count, shown in enumerate(walked.screens):
            assert other.sends("*".join(keys[:count])) == shown, keys[:count]
