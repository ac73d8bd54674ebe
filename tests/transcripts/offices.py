"""The sandbox's back offices, in the transcripts' own process: what the menus ask is answered from
`ussdapp/sandbox/back_office.toml`, through the reader of eGA's guide.

In a transcript `* gepg.bill is late`, `... is unavailable`, `... finds nothing` and `... refuses`
turn an office, and `* gepg.bill answers at last` turns it back and asks it what it owes: the SMS
follows.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakes.back_offices import FakeQuestions
from tests.fakes.dialogue import NOON, FakeDoorbells, World, real_letters
from ussdapp.core.back_office import LONGEST_PAUSE, Asker, HandedIn, LookedUp, Relayed
from ussdapp.core.notification import Notification
from ussdapp.core.texts import fill
from ussdapp.institutions.ega_guide.answers import handed_in, looked_up, relayed
from ussdapp.ports import OfficeLate, OfficeUnavailable
from ussdapp.sandbox.back_office import reference_of
from ussdapp.sandbox.back_office_answers import Office, look_up, read_offices
from ussdapp.sandbox.back_office_app import Application
from ussdapp.usecases.ask_again import AskAgain

OFFICES: Final = read_offices()
_TURN: Final = re.compile(
    r"([a-z]+\.[a-z_]+) (is late|is unavailable|finds nothing|refuses|answers at last)"
)


@dataclass
class SandboxOffices:
    """Keeps ports.BackOffices; `turned` holds what an office does instead of answering."""

    turned: dict[str, str] = field(default_factory=dict)
    app: Application = field(default_factory=lambda: Application(OFFICES["demo.app"]))

    def look_up(self, office: str, data: str, asker: Asker) -> LookedUp:
        found = look_up(self._reached(office), data, asker.language)
        if self.turned.get(office) == "finds nothing":
            found = {"success": False}
        return looked_up(_body(found))

    def hand_in(self, office: str, answers: Mapping[str, str], asker: Asker) -> HandedIn:
        says = self._reached(office).given["sms"][asker.language]
        taken = bool(answers) and self.turned.get(office) != "refuses"
        text = fill(says, {"kumbukumbu": reference_of(asker.effect)}) if taken else ""
        return handed_in(_body({"status": taken, "sms_reply": taken, "sms_text": text}))

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        self._reached(office)
        told = {"sessionid": asker.session_id}
        told |= {"lang": asker.language.upper()} if keyed is None else {"input": keyed}
        return relayed(_body(self.app.answer(told)))

    def _reached(self, office: str) -> Office:
        match self.turned.get(office):
            case "is late":
                raise OfficeLate(office)
            case "is unavailable":
                raise OfficeUnavailable(office)
            case _:
                return OFFICES[office]


@dataclass
class Institutions:
    """The institutions' side of one transcript."""

    offices: SandboxOffices = field(default_factory=SandboxOffices)
    questions: FakeQuestions = field(default_factory=FakeQuestions)

    @property
    def told(self) -> list[Notification]:
        """The SMS that late answers caused."""
        return self.questions.told

    def world(self) -> World:
        """A gateway with these institutions connected to it."""
        return World(offices=self.offices, questions=self.questions)

    def happens(self, line: str) -> bool:
        """Turns an office as a line of a transcript says; False when it is not about one."""
        turn = _TURN.fullmatch(line)
        if turn is None:
            return False
        office, does = turn.groups()
        if office not in OFFICES:
            raise LookupError(f"the sandbox has no office {office!r}")
        self.offices.turned[office] = does
        if does == "answers at last":
            self._asked_again()
        return True

    def _asked_again(self) -> None:
        ask_again = AskAgain(self.offices, self.questions, real_letters(), FakeDoorbells())
        busy = {office for office, does in self.offices.turned.items() if does == "is late"}
        later = NOON + LONGEST_PAUSE
        while claimed := self.questions.claim(busy, later):
            ask_again(claimed, lambda: later)


def _body(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer).encode()
