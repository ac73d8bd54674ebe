"""Menus, each with one thing changed: every broken one is refused with a sentence that names the
place, every good one is served and every screen of it fits. MUTATED_MENUS says how many (`make
storm`: 1,000)."""

import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.every_kind import EVERY_KIND
from ussdapp.core import gsm7
from ussdapp.core.dialogue import first
from ussdapp.core.menu import Menu
from ussdapp.core.page import page_count, render
from ussdapp.core.screens import External, Lookup
from ussdapp.core.session import Place
from ussdapp.stores.menu_files import MenuRefused, check_menus, read_menu

FILES = ("main.toml", "demo/kila.toml")
OFFICES = frozenset({"demo.bill", "demo.register", "demo.app"})
SEED = 20261122
MENUS = int(os.environ.get("MUTATED_MENUS", "200"))
PLACE = re.compile(r"^(main\.toml|demo/kila\.toml|list [a-z.]+: )")
Change = Callable[[random.Random, str], str]


def one_of(rng: random.Random, text: str, pattern: str) -> re.Match[str]:
    return rng.choice(list(re.finditer(pattern, text)))


def put(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def replacing(pattern: str, new: str) -> Change:
    """A change of one match, drawn."""

    def change(rng: random.Random, text: str) -> str:
        match = one_of(rng, text, pattern)
        return put(text, match, match.expand(new))

    return change


def twice(rng: random.Random, text: str) -> str:
    """A table or a line of a table stands twice."""
    match = one_of(rng, text, r"(?m)^\[[a-z_.]+\]\n(?:.+\n)+")
    return text + "\n" + match.group()


def without_a_screen(rng: random.Random, text: str) -> str:
    """A screen that others go to is gone."""
    used = re.findall(r'(?:goto|cancel|back|late|found) = "([a-z_]+)"', text)
    name = rng.choice(used)
    return re.sub(rf"(?m)^\[{name}\]\n(?:.+\n)+", "", text)


def another_key(rng: random.Random, text: str) -> str:
    """Two options of a choice have one key."""
    match = one_of(rng, text, r'key = "(\d+)"(.*\n.*)key = "\d+"')
    return put(text, match, f'key = "{match[1]}"{match[2]}key = "{match[1]}"')


def a_screen_more(rng: random.Random, text: str) -> str:
    """A screen that an option leads to."""
    match = one_of(rng, text, r'\{ key = "12"')
    option = '{ key = "13", sw = "Mpya", en = "New", goto = "mpya" },\n    { key = "12"'
    return put(text, match, option) + '\n[mpya]\nkind = "end"\nsw = "Mpya"\nen = "New"\n'


BROKEN: dict[str, Change] = {
    "a goto to no screen": replacing(r'goto = "[a-z_.]+"', 'goto = "hapa_na_pale"'),
    "a screen gone": without_a_screen,
    "a table twice": twice,
    "an option's key twice": another_key,
    "a reserved key": replacing(r'key = "\d+"', 'key = "99"'),
    "a key of letters": replacing(r'key = "\d+"', 'key = "a"'),
    "a language gone": replacing(r'(?m)^(?:sw|en) = ".*"\n', ""),
    "a language gone within": replacing(r', en = "[^"]*" }', " }"),
    "a language empty": replacing(r'en = "[^"]+"', 'en = ""'),
    "a name nobody knows": replacing(r'(?m)^kind = "(.*)"$', r'kind = "\1"\nrangi = "x"'),
    "a kind nobody knows": replacing(r'kind = "[a-z]+"', 'kind = "ukurasa"'),
    "a kind gone": replacing(r'kind = "[a-z]+"\n', ""),
    "a goto gone": replacing(r'(?m)^goto = "[a-z_.]+"\n', ""),
    "a saves gone": replacing(r'(?m)^saves = "[a-z_]+"\n', ""),
    "a number for a text": replacing(r'en = "[^"]+"', "en = 7"),
    "a text for options": replacing(r"options = \[", 'options = "x"\nrest = ['),
    "a quote left open": replacing(r'sw = "([^"]+)"', r'sw = "\1'),
    "a bracket left open": replacing(r"(?m)^\[([a-z_]+)\]$", r"[\1"),
    "a curly quote": replacing(r'sw = "(.)', r'sw = "\1’'),
    "a picture": replacing(r'en = "(.)', r'en = "\1😀'),
    "a long dash": replacing(r'sw = "(.)', r'sw = "\1–'),
    "a brace": replacing(r'sw = "(.)', r'sw = "\1{'),
    "an answer nobody gave": replacing(r'(?m)^en = "(.)', r'en = "\1{hakuna}'),
    "an option too wide": replacing(
        r'(key = "\d+", sw = ")([^"]+)', r"\1" + "Huduma ndefu mno " * 10
    ),
    "a prompt too wide": replacing(r'wrong = \{ sw = "', 'wrong = { sw = "' + "Andika tena " * 14),
    "a pattern that is none": replacing(r"accepts = '.*'", "accepts = '[A-'"),
    "a pattern that is slow": replacing(r"accepts = '.*'", "accepts = '(x+x+)+y'"),
    "an ask nobody answers": replacing(r'asks = "[a-z_.]+"', 'asks = "office.guess"'),
    "an outcome gone": replacing(r'(?:unavailable|late) = "[a-z_]+"(?:, )?', ""),
    "an office of nobody": replacing(r'of = "demo\.[a-z]+"', 'of = "demo.nobody"'),
    "an office of another": replacing(r'of = "demo\.[a-z]+"', 'of = "gepg.bill"'),
    "an example gone": replacing(r"(mfano|example) [^\":]+:", r"\1 X:"),
    "a named kind nobody knows": replacing(r'takes = "[a-z_]+"', 'takes = "rangi"'),
    "a list nobody has": replacing(r'of = "(?:sekta|wilaya)"', 'of = "mikoa"'),
    "an effect not confirmed": replacing(
        r'saves = "(?:mita|nida|akaunti)"\ngoto = "[a-z_]+"', 'saves = "chama"\ngoto = "wasilisha"'
    ),
    "a loop": replacing(
        r'\[([a-z_]+)\]\nkind = "end"\n(sw = .*\nen = .*\n)',
        r'[\1]\nkind = "text"\n\2goto = "\1"\n',
    ),
    "a screen nobody reaches": lambda _rng, text: (
        text + '\n[peke_yake]\nkind = "end"\nsw = "x"\nen = "x"\n'
    ),
    "a value for one option": replacing(r'(sw = "Bili", en = "Bill",)', r'\1 value = "x",'),
    "a branch that strays": replacing(r'goto = "main\.mwanzo"', 'goto = "main.menu"'),
    "a sentence shared no more": replacing(
        r"(?m)^(?:back|home|wrong|lost|resume|enough) = .*\n", ""
    ),
    "a first screen that is none": replacing(r'first = "[a-z]+"', 'first = "kwanza"'),
}
GOOD: dict[str, Change] = {
    "another word": replacing(r'(sw = "[^"{]*)"', r'\1."'),
    "a remark": replacing(r"(?m)^\[", "# maelezo\n["),
    "an empty line": replacing(r"(?m)^kind = ", "\nkind = "),
    "another key of an option": replacing(r'key = "12"', 'key = "88"'),
    "a screen more": a_screen_more,
    "an item more": replacing(
        r"\[lists\.wilaya\]\n",
        '[lists.wilaya]\nkyela = { sw = "Kyela", en = "Kyela", under = "ardhi" }\n',
    ),
    "longer terms": replacing(
        r'sw = "Masharti ya', 'sw = "' + "Soma kwa makini. " * 30 + "Masharti ya"
    ),
    "another pattern": replacing(r"accepts = '.*'", "accepts = '[a-z]{1,8}-[0-9]*'"),
    "a back tick that GSM-7 has": replacing(r'sw = "(.)', r'sw = "\1é'),
}


def in_turn(rng: random.Random, changes: dict[str, Change]) -> Iterator[str]:
    """The names of all changes, shuffled, and so again and again: none waits to be drawn."""
    names = sorted(changes)
    while True:
        yield from rng.sample(names, len(names))


def written(folder: Path, rng: random.Random, change: Change) -> None:
    """The menu in the folder with one change, in a file where it changes something."""
    texts = {file: (EVERY_KIND / file).read_text("utf-8") for file in FILES}
    for file in rng.sample(FILES, len(FILES)):
        try:
            changed = change(rng, texts[file])
        except IndexError:  # nothing in this file to change
            continue
        if changed != texts[file]:
            texts[file] = changed
            break
    for file, text in texts.items():
        (folder / file).write_text(text, "utf-8")


def read(folder: Path) -> Menu | list[str]:
    """The menu, or the sentences that refuse it, each of which names a place."""
    try:
        return read_menu(folder, {}, offices=OFFICES)
    except MenuRefused as refused:
        sentences = refused.sentences
    assert sentences
    assert all(PLACE.match(sentence) for sentence in sentences), sentences
    return sentences


def served(menu: Menu) -> None:
    """Asserts that every page of every screen fits, with nothing answered."""
    for name, screen in menu.screens.items():
        for language in ("sw", "en"):
            session = first(menu, language).facing(Place(name))
            if isinstance(screen, Lookup | External):
                continue
            for page in range(page_count(menu, session)):
                text = render(menu, session.facing(Place(name, page)))
                assert (gsm7.septets(text) or 161) <= menu.budget


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EVERY_KIND, tmp_path / "menus")
    return tmp_path / "menus"


def test_every_broken_menu_is_refused_with_its_place_and_every_good_one_served(
    folder: Path,
) -> None:
    rng = random.Random(SEED)
    names = {True: in_turn(rng, BROKEN), False: in_turn(rng, GOOD)}
    drawn: set[str] = set()
    for number in range(MENUS):
        broken = number % 5 != 0
        name = next(names[broken])
        written(folder, rng, (BROKEN if broken else GOOD)[name])
        drawn.add(name)
        told = read(folder)
        assert isinstance(told, list) is broken, (number, name, told)
        if isinstance(told, Menu):
            served(told)
    assert drawn == BROKEN.keys() | GOOD.keys()


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_characters_gone_or_doubled_is_served_or_refused_in_sentences(
    folder: Path, seed: int
) -> None:
    rng = random.Random(seed)
    for _ in range(MENUS // 4):
        file = rng.choice(FILES)
        text = (EVERY_KIND / file).read_text("utf-8")
        at = rng.randrange(len(text))
        cut = text[at : at + rng.randrange(1, 12)]
        text = text[:at] + rng.choice(["", cut * 2, "\x00", '"', "]", "{"]) + text[at + len(cut) :]
        for name in FILES:
            shutil.copyfile(EVERY_KIND / name, folder / name)
        (folder / file).write_bytes(text.encode() + rng.choice([b"", b"", b"\xff"]))
        told = read(folder)
        if isinstance(told, Menu):
            served(told)


def test_a_folder_whose_texts_are_missing_is_told_so(folder: Path) -> None:
    assert [said for said in check_menus(folder) if "sms.toml" in said]
