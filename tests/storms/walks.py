"""The tree that ships, walked key by key, with the sandbox's offices answering in every way."""

from collections.abc import Iterator
from functools import cache

from tests.fakes.dialogue import ASHA, MENUS, NOON
from tests.transcripts.offices import OFFICES, SandboxOffices
from ussdapp.core.asks import HAND_IN, LATE, LOOK_UP, UNAVAILABLE
from ussdapp.core.back_office import Asker
from ussdapp.core.filing import day_of
from ussdapp.core.menu import Menu, items_of
from ussdapp.core.office import found_handed_in, found_looked_up, sent
from ussdapp.core.patterns import accepted
from ussdapp.core.reference import Reference
from ussdapp.core.screens import Choice, Confirm, Input, Listing, Lookup, Text
from ussdapp.core.session import Ask, Found, Session
from ussdapp.ports import OfficeLate, OfficeUnavailable
from ussdapp.sandbox.demo import institutions
from ussdapp.stores.menu_files import read_menu

REFERENCE = str(Reference.numbered(48213000001))
TODAY = day_of(NOON)
# what citizens type; each input takes some of it
TYPED = (
    REFERENCE, "Maji hayatoki Mbezi tangu *Jumatatu*", "Asha Juma", "150", "3", "15122026",
    "01012026", "umoja-wa-wavuvi", "KJ/123", *sorted(str(one.given["example"])
    for one in OFFICES.values() if "example" in one.given),
)  # fmt: skip
TURNS = ("answers", "finds nothing", "refuses", "is late", "is unavailable")


@cache
def tree() -> Menu:
    """The menu that ships over the sandbox's directory of institutions."""
    return read_menu(MENUS, {"institutions": items_of(institutions())})


def keys_of(menu: Menu, session: Session) -> list[str]:
    """What may be keyed at a screen: what it takes, what it does not, and the ways out."""
    screen = menu.screens[session.screen]
    turning = ["0", "00", "99"]
    match screen:
        case Choice():
            return [*screen.by_key, "7777", *turning]
        case Confirm() | Text():
            return ["1", "2", "5", *turning]
        case Input():
            taken = [typed for typed in TYPED if accepted(screen, typed, session.day) is not None]
            return [*taken, "!", *turning]
        case Listing():
            return ["1", "2", "ega", "maji", "zzzz", *turning]
        case _:
            return turning


def answers_to(menu: Menu, session: Session, ask: Ask) -> Iterator[Found]:
    """All that an ask may come back with."""
    screen = menu.screens[ask.screen]
    assert isinstance(screen, Lookup)
    if ask.name not in (LOOK_UP, HAND_IN):
        values = {"taasisi": "EGA", "kumbukumbu": REFERENCE, "hali": "Umepokelewa"}
        values["jibu"] = "Tumerekebisha, jaribu tena. " * 8
        yield from (Found(outcome, values) for outcome in screen.goto)
        return
    for does in TURNS:
        yield _office_found(session, screen, does)


def _office_found(session: Session, screen: Lookup, does: str) -> Found:
    offices = SandboxOffices({} if does == "answers" else {screen.of: does})
    asker = Asker(ASHA, "ATUid_1", session.language, "e" * 64)
    given = sent(screen, session.answers)
    try:
        if screen.asks == HAND_IN:
            return found_handed_in(offices.hand_in(screen.of, given, asker))
        value = next(iter(given.values()), "")
        return found_looked_up(screen, offices.look_up(screen.of, value, asker))
    except OfficeLate:
        return Found(LATE)
    except OfficeUnavailable:
        return Found(UNAVAILABLE)
