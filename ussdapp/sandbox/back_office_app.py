"""Knows the sandbox's external application: three screens, in the words of mGov's guide v2.1.0."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ussdapp.core.texts import fill
from ussdapp.sandbox.back_office_answers import Office

_EXPECTS, _ENDS, _HANDS_BACK = "2", "3", "4"
_HEADERS: Final[Mapping[str, str]] = {"end": _ENDS, "back": _HANDS_BACK}
_DAY: Final = re.compile(r"\d{8}")
_MOST: Final = 10_000  # dialogues remembered


@dataclass(frozen=True, slots=True)
class Visit:
    """Where one dialogue stands; the language comes on the first hit only, so it is kept."""

    language: str
    screen: str = "start"
    day: str = ""

    def after(self, keyed: str) -> "Visit":
        """What a key leads to; one that means nothing shows the screen again."""
        match self.screen, keyed:
            case "start", "1":
                return replace(self, screen="day")
            case "start", "2":
                return replace(self, screen="back")
            case "day", _ if _DAY.fullmatch(keyed):
                return replace(self, screen="confirm", day=keyed)
            case "confirm", "1":
                return replace(self, screen="end")
            case "confirm", "2":
                return replace(self, screen="back")
            case _:
                return self


class Application:
    """Remembers dialogues by session id; an unknown one starts, whatever `input` it brings."""

    def __init__(self, office: Office) -> None:
        self._screens: Mapping[str, Any] = office.given["screens"]
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()

    def answer(self, told: Mapping[str, str]) -> dict[str, Any]:
        """`{header_type, text, options}`, and `data` where it hands back."""
        with self._lock:
            visit = self._visits.get(told.get("sessionid", ""))
            if visit is None or "lang" in told:
                visit = Visit(told.get("lang", "SW").lower())
            else:
                visit = visit.after(told.get("input", ""))
            if len(self._visits) >= _MOST:
                self._visits.clear()
            self._visits[told.get("sessionid", "")] = visit
        return self._shown(visit)

    def _shown(self, visit: Visit) -> dict[str, Any]:
        screen = self._screens[visit.screen]
        language = visit.language if visit.language in screen else "sw"
        header = _HEADERS.get(visit.screen, _EXPECTS)
        options = {key: says[language] for key, says in screen["options"].items()}
        data = {"miadi": visit.day} if visit.day else {}
        text = fill(screen[language], {"siku": visit.day})
        handed = {"data": data} if header == _HANDS_BACK else {}
        return {"header_type": header, "text": text, "options": options, **handed}
