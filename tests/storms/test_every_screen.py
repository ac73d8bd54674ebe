"""Every screen that ships is reached, is left, and fits a handset in both languages."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from tests.storms.recorded import ill_formed
from tests.storms.walks import REFERENCE, TODAY, answers_to, keys_of, tree
from ussdapp.core.dialogue import Moved, begin, resume, shown, step
from ussdapp.core.menu import Menu
from ussdapp.core.page import page_count
from ussdapp.core.screen_text import width
from ussdapp.core.screens import Choice, Input, Listing, Lookup, Spoken
from ussdapp.core.session import Session, Shown, Turn
from ussdapp.core.texts import LANGUAGES

MOST_OF_ONE = 30  # sessions at one screen that are walked on from
MOST_PAGES = 4  # of a list that are turned on the way; their widths are looked at apart
KINDS = {
    "reference": "123456789018", "amount": "999999999999", "date": "31122026", "nida": "1" * 20,
    "control_number": "994550451254", "meter": "24730001234", "account": "A123456789012",
}  # fmt: skip
# what citizens type and institutions send, as wide as it can be
SENT = {
    "unbroken": "M" * 200,
    "of words": "Neno refu sana " * 14,
    "escaped": "{}[]" * 30,
    "of lines": "Mstari\n" * 30,
    "in UCS-2": "Habari 😀 ndugu " * 8,
}


class Walk:
    """Breadth first: the screens met, and every text on the way."""

    def __init__(self, menu: Menu, language: str) -> None:
        self.menu = menu
        self.met: Counter[str] = Counter()
        self.ill: dict[str, str] = {}
        self.ended: set[str] = set()
        self._seen: set[object] = set()
        self._waiting: deque[Session] = deque()
        self._meet(begin(menu, language, TODAY))
        while self._waiting:
            session = self._waiting.popleft()
            for key in keys_of(menu, session):
                self._meet(step(menu, session, key))

    def _meet(self, turn: Turn) -> None:
        if turn.ask is not None:
            self._ask(turn)
            return
        session = turn.session
        if ill := ill_formed(Shown(turn.text, turn.ends)):
            self.ill[session.screen] = f"{ill}: {turn.text}"
        if turn.ends:
            self.ended.add(session.screen)
        place = (session.place, session.wrong, tuple(sorted(session.answers.items())))
        listed = isinstance(self.menu.screens[session.screen], Listing)
        if place in self._seen or (listed and session.page > MOST_PAGES):
            return
        self._seen.add(place)
        self.met[session.screen] += 1
        if not turn.ends and self.met[session.screen] <= MOST_OF_ONE:
            self._waiting.append(session)

    def _ask(self, turn: Turn) -> None:
        assert turn.ask is not None
        session = turn.session
        asked = (session.screen, tuple(sorted(session.answers.items())))
        self.met[session.screen] += 1
        if asked in self._seen or self.met[session.screen] > 2 * MOST_OF_ONE:
            return
        self._seen.add(asked)
        for found in answers_to(self.menu, session, turn.ask):
            self._meet(resume(self.menu, session, found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_is_met_and_shown_within_its_budget(language: str) -> None:
    walk = Walk(tree(), language)
    assert walk.met.keys() == tree().screens.keys()
    assert not walk.ill
    assert len(walk.ended) > 20


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT.keys())
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_of_any_screen_is_over_budget_at_its_widest_values(
    language: str, sent: str
) -> None:
    menu = tree()
    ill = {
        f"{name}, page {session.page}": f"{why}: {text}"
        for name, screen in menu.screens.items()
        if not isinstance(screen, Listing | Lookup)
        for session, text in pages(menu, name, language, sent)
        if (why := ill_formed(Shown(text, ends=False)))
    }
    assert not ill


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_of_a_list_of_six_hundred_is_over_budget(language: str) -> None:
    menu = tree()
    lists = [name for name, screen in menu.screens.items() if isinstance(screen, Listing)]
    texts = [text for name in lists for _, text in pages(menu, name, language, "")]
    assert len(texts) > 1000
    assert not [text for text in texts if ill_formed(Shown(text, ends=False))]


def pages(menu: Menu, name: str, language: str, sent: str) -> Iterator[tuple[Session, str]]:
    """Every page of a screen, alone and below each sentence it may be shown with."""
    screen = menu.screens[name]
    answers = widest_answers(language, sent)
    for under in filters(menu, screen):
        start = Session(name, language, {**answers, **under}, day=TODAY)
        for page in range(page_count(menu, start)):
            session = Session(name, language, start.answers, page=page, day=TODAY)
            for sentence in sentences(menu, screen):
                yield session, shown(menu, Moved(session, sentence)).text


def sentences(menu: Menu, screen: object) -> Iterator[Spoken | None]:
    yield from (None, menu.words.wrong)
    if isinstance(screen, Input):
        yield screen.wrong
    if isinstance(screen, Listing):
        yield screen.nothing


def filters(menu: Menu, screen: object) -> list[dict[str, str]]:
    """The answers a list may be filtered by."""
    if not isinstance(screen, Listing) or not screen.where:
        return [{}]
    return [{screen.where: under} for under in {item.under for item in menu.lists[screen.of]}]


def names(menu: Menu) -> set[str]:
    """All that a screen may show."""
    brought = {
        name for one in menu.screens.values() if isinstance(one, Lookup) for name in one.brings
    }
    return {*menu.savers, *brought, "kumbukumbu", "hali", "jibu", "taasisi"}


@cache
def widest_answers(language: str, sent: str) -> Mapping[str, str]:
    """All that a screen of the tree may show, at its widest."""
    menu = tree()
    return {name: widest(menu, name, language, sent) for name in names(menu)}


def widest(menu: Menu, name: str, language: str, sent: str) -> str:
    """The value of that name that is shown widest."""
    found = {"kumbukumbu": REFERENCE, "hali": "M" * 20}
    values = [value for saver in menu.savers.get(name, ()) for value in kept_by(menu, saver, sent)]
    if not values:
        return found.get(name, sent)
    return max(values, key=lambda value: width(menu.called(name, value, language)))


def kept_by(menu: Menu, saver: object, sent: str) -> list[str]:
    match saver:
        case Choice():
            return [option.value for option in saver.options]
        case Listing():
            return [item.key for item in menu.lists[saver.of]]
        case Input() if saver.takes:
            return [KINDS[saver.takes]]
        case Input():
            return [sent.replace("\n", " ")[: saver.most]]
        case _:
            return []
