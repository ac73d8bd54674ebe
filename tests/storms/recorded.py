"""The dialogues of the transcripts, and storms of callbacks made of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from tests.fakes.dialogue import Handset
from tests.transcripts.offices import Institutions
from ussdapp.core import gsm7
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
# what is drawn anew for every submission: a case's reference, and a request's
NUMBERS = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}|[0-9]{8}")
BUDGET = 160


@dataclass(frozen=True)
class Recorded:
    """What one citizen keyed, the screens it causes, and the effects it has."""

    name: str
    keys: tuple[str, ...]
    screens: tuple[Shown, ...]
    cases: int
    letters: int
    requests: int

    @property
    def texts(self) -> list[str]:
        """What an aggregator sends for each screen."""
        return ["*".join(self.keys[:count]) for count in range(len(self.keys) + 1)]


@cache
def dialogues() -> tuple[Recorded, ...]:
    """Every dialogue of every transcript, each as a citizen's first."""
    found = [
        _played(path.stem, keys) for path in sorted(TRANSCRIPTS.glob("*.txt")) for keys in _of(path)
    ]
    assert len(found) > 40
    assert sum(one.cases for one in found) > 5
    assert sum(one.requests for one in found) > 5
    return tuple(found)


def drawn(random: Random, least: int = 0) -> Recorded:
    """One of at least so many keys; a third files a case, a third hands something in."""
    long = [one for one in dialogues() if len(one.keys) >= least]
    filing = [one for one in long if one.cases]
    handing_in = [one for one in long if one.requests]
    return random.choice(random.choice((filing, handing_in, long)))


def _of(path: Path) -> Iterator[tuple[str, ...]]:
    keys: list[str] | None = None
    for line in path.read_text("utf-8").splitlines():
        if " dials " in line and not line.startswith(("#", "|")):
            if keys is not None:
                yield tuple(keys)
            keys = []
        elif line.startswith("> ") and keys is not None:
            keys.append(line[2:])
    if keys is not None:
        yield tuple(keys)


def _played(name: str, keys: Sequence[str]) -> Recorded:
    institutions = Institutions()
    offices = Counted(institutions)
    world = institutions.world()
    world.offices = offices
    phone = Handset(world.process())
    screens, taken = [phone.dials()], []
    for key in keys:
        if screens[-1].ends:
            break  # in the transcript the dialogue went otherwise: another has to end it
        screens.append(phone.keys_in(key))
        taken.append(key)
    return Recorded(
        name,
        tuple(taken),
        tuple(screens),
        len(world.cases.cases),
        len(world.cases.told),
        len(offices.requests),
    )


class Counted:
    """Keeps ports.BackOffices over the sandbox's offices, and notes each request by its id."""

    def __init__(self, institutions: Institutions) -> None:
        self._offices = institutions.offices
        self.look_up = self._offices.look_up
        self.relay = self._offices.relay
        self.requests: set[str] = set()

    def hand_in(self, office, answers, asker):  # type: ignore[no-untyped-def]
        self.requests.add(asker.effect)
        return self._offices.hand_in(office, answers, asker)


def masked(shown: Shown) -> Shown:
    """The screen without the numbers that are drawn."""
    return Shown(NUMBERS.sub("#", shown.text), shown.ends)


def ill_formed(shown: Shown) -> str:
    """Why no handset would show that screen, "" when it would."""
    wide = gsm7.septets(shown.text)
    if not shown.text.strip():
        return "nothing to show"
    if wide is None:
        units = len(shown.text.encode("utf-16-le")) // 2
        return f"{units} UCS-2 units" if units > 70 else ""
    return f"{wide} septets" if wide > BUDGET else ""


def citizen(number: int) -> Msisdn:
    """A citizen of that number's own."""
    return Msisdn(f"2557{number:08d}")


def waves(dialogue: Recorded, random: Random, late: float) -> list[list[int]]:
    """The steps of a dialogue in the order their callbacks come, each 1-4 times: a wave comes when
    the first of the wave before it was answered. Copies come at once; that share of them late, in
    a later wave."""
    count = len(dialogue.texts)
    made: list[list[int]] = [[step] for step in range(count)]
    for step in range(count):
        for _ in range(random.randrange(4)):
            when = random.randrange(step, count) if random.random() < late else step
            made[when].append(step)
    return made
