"""Every transcript is played through the whole dialogue, and shows what it says it shows.

`# ` is a remark, `> ` is keyed, `* ` happens elsewhere, `| ` is shown; the number is its length in
septets. What stands between two of the first three is written by `make golden`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.dialogue import NOON, Handset, World
from tests.transcripts.offices import Institutions
from ussdapp.core import gsm7
from ussdapp.core.case import CaseStatus, CaseView, Reply
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.session import Shown

FOLDER = Path(__file__).parent


@dataclass
class Stage:
    """One transcript being played."""

    institutions: Institutions = field(default_factory=Institutions)
    world: World = field(init=False)
    dials: int = 0
    handset: Handset | None = None

    def __post_init__(self) -> None:
        self.world = self.institutions.world()

    def played(self, line: str) -> Iterator[str]:
        told = len(self.told)
        if line.startswith("> ") and self.handset:
            yield screen(self.handset.keys_in(line[2:]))
        elif line.startswith("* "):
            self.happens(line[2:])
        elif " dials " in line:
            yield screen(self.dialled(line.partition(" ")[0]))
        yield from (letter(told) for told in self.told[told:])

    @property
    def told(self) -> list[Notification]:
        """Every SMS so far."""
        return [*self.world.cases.told, *self.institutions.told]

    def dialled(self, msisdn: str) -> Shown:
        self.dials += 1
        answer = self.world.process()
        self.handset = Handset(answer, Msisdn(msisdn), session_id=f"ATUid_{self.dials}")
        return self.handset.dials()

    def happens(self, line: str) -> None:
        if line == "Redis forgets everything":
            self.world.sessions.wipe()
            return
        if self.institutions.happens(line):
            return
        institution, _, words = line.partition(" answers: ")
        case = list(self.world.cases.cases.values())[-1]
        reply = Reply("r1", case.reference, institution, words, CaseStatus.ANSWERED, NOON)
        self.world.cases.reply(reply, self.answer_letter)

    def answer_letter(self, msisdn: Msisdn, language: str, case: CaseView) -> Notification:
        letters = self.world.process().letters
        values = {
            "taasisi": case.institution.upper(),
            "kumbukumbu": str(case.reference),
            "jibu": case.answer,
        }
        text = letters.say("case_answer", language, values)
        return letters.receipt("r1", case.institution, msisdn, text, NOON)


def screen(shown: Shown) -> str:
    return block("END" if shown.ends else "CON", shown.text)


def letter(notification: Notification) -> str:
    return block(f"SMS {notification.msisdn.digits}", notification.text)


def block(head: str, text: str) -> str:
    lines = "\n".join(f"| {line}".rstrip() for line in text.split("\n"))
    return f"{head} {gsm7.septets(text)}\n{lines}"


def play(transcript: str) -> str:
    """The transcript as the dialogue now runs."""
    stage = Stage()
    blocks: list[str] = []
    remarks: list[str] = []
    for line in transcript.splitlines():
        if line.startswith("# "):
            remarks.append(line)
        elif line.startswith(("> ", "* ")) or " dials " in line:
            blocks.append("\n".join((*remarks, line)))
            remarks = []
            blocks += stage.played(line)
    return "\n\n".join(blocks) + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_the_dialogue_runs_as_written(path: Path, request: pytest.FixtureRequest) -> None:
    written = path.read_text("utf-8")
    played = play(written)
    if request.config.getoption("--golden", default=False):
        path.write_text(played, "utf-8")
        pytest.fail(f"{path.name} was written anew: read the difference before you keep it")
    assert played == written


def test_there_are_transcripts() -> None:
    assert len(list(FOLDER.glob("*.txt"))) > 8
