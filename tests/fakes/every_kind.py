"""The menu of every kind, and institutions that answer it at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ussdapp.core.back_office import Asker, HandedIn, LookedUp, Relayed, Said
from ussdapp.core.menu import Menu
from ussdapp.stores.menu_files import read_menu

EVERY_KIND = Path(__file__).parent / "menus"
TERMS = ("1", "3")
LONG = "Karibu katika programu. " * 20


@cache
def every_kind() -> Menu:
    """The menu of `tests/fakes/menus`."""
    return read_menu(EVERY_KIND, {})


@dataclass
class Institution:
    """Keeps ports.BackOffices: knows one bill, takes every society, and has an application that
    counts its keys, hands back at `9` and ends at `8`. `trouble` is raised instead."""

    trouble: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    taken: dict[str, Mapping[str, str]] = field(default_factory=dict)
    keyed: list[str | None] = field(default_factory=list)
    details: Mapping[str, str] = field(
        default_factory=lambda: {"detail_01": "TZS 20,500", "name": "Asha Juma", "namba": "1"}
    )

    def look_up(self, office: str, data: str, asker: Asker) -> LookedUp:
        self.asked.append((office, data))
        self._reach()
        known = data == "994550451254"
        return LookedUp(known, self.details if known else {})

    def hand_in(self, office: str, answers: Mapping[str, str], asker: Asker) -> HandedIn:
        self.asked.append((office, asker.effect))
        self._reach()
        self.taken.setdefault(asker.effect, answers)
        return HandedIn(answers["chama"] != "Kataa", f"Namba {len(self.taken)}")

    def relay(self, office: str, asker: Asker, keyed: str | None) -> Relayed:
        self._reach()
        self.keyed.append(keyed)
        match keyed:
            case "9":
                return Relayed(Said.HANDS_BACK, "", {}, {"kata": "Mbezi", "chama": "x"})
            case "8":
                return Relayed(Said.ENDS, LONG, {}, {})
            case "7":
                return Relayed(Said.EXPECTS, "Habari 😀 " * 30, {"1": "Sawa ✓"}, {})
            case "6":
                return Relayed(Said.EXPECTS, LONG, {"1": "Sawa", "00": "Yangu"}, {})
            case _:
                text = f"Programu: {keyed or 'karibu'}, hatua {len(self.keyed)}"
                return Relayed(Said.EXPECTS, text, {"1": "Moja", "9": "Rudisha"}, {})

    def _reach(self) -> None:
        if self.trouble is not None:
            raise self.trouble
