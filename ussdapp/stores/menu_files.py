"""Knows how menus are written: TOML files in a folder, proven as a whole before any is served.

A screen is a table; its full name is `<file>.<table>`. A goto without a dot stays in its file.
`main.toml` also holds `[menu]`: the first screen and the sentences that every screen shares. How it
is all written stands in `menus/README.md`.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from ussdapp.core.asks import ASKS
from ussdapp.core.branches import APART, OWNERS, SMS
from ussdapp.core.menu import Item, Menu
from ussdapp.core.proof import faults
from ussdapp.core.screens import Listing, Screen, Spoken
from ussdapp.core.texts import Texts
from ussdapp.stores.menu_tables import (
    Fault,
    Top,
    full_name,
    read_items,
    read_screen,
    read_spoken,
    read_top,
    table_of,
)

T = TypeVar("T")

MAIN: Final = "main"
MENU: Final = "menu"
LISTS: Final = "lists"
_FILE: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class MenuRefused(Exception):
    """A menu that may not be served; `sentences` says everything that is wrong with it."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def read_menu(
    folder: Path,
    lists: Mapping[str, tuple[Item, ...]],
    budget: int = 160,
    values: Mapping[str, str] | None = None,
    offices: Collection[str] | None = None,
) -> Menu:
    """The folder's menu, proven. `lists` by the names its screens use (`institutions`), `budget`
    in septets, `values` in the place of `[menu.values]`, `offices` those that may be asked, None
    for any. Raises MenuRefused, OSError."""
    reading = _Reading(folder)
    menu = reading.menu(lists, budget, values or {})
    if reading.sentences or menu is None:
        raise MenuRefused(reading.sentences)
    if wrong := faults(menu, ASKS, offices):
        raise MenuRefused(wrong)
    return menu


def read_texts(path: Path) -> Texts:
    """Sentences by name, from a file of `[name] sw = , en =`. Raises MenuRefused, OSError."""
    sentences: list[str] = []
    texts: dict[str, Spoken] = {}
    for name, table in parsed(path, path.name).items():
        try:
            texts[name] = read_spoken(table_of(table))
        except Fault as fault:
            sentences.append(f"{path.name} [{name}]: {fault}")
    if sentences:
        raise MenuRefused(sentences)
    return Texts(texts)


def read_owners(folder: Path) -> dict[str, str]:
    """Institutions by the branches that are not called after them; none where the folder says
    nothing. Raises MenuRefused, OSError."""
    path = folder / OWNERS
    owners = parsed(path, OWNERS) if path.exists() else {}
    wrong = [
        f'{OWNERS} {branch}: give the short name of its institution, as {branch} = "ega"'
        for branch, owner in owners.items()
        if not isinstance(owner, str)
    ]
    if wrong:
        raise MenuRefused(wrong)
    return owners


def check_menus(folder: Path, offices: Collection[str] | None = None) -> list[str]:
    """Everything wrong with a folder's menus and texts; an empty list when they may be served."""
    some = {"institutions": (Item("ega", {"sw": "Mamlaka", "en": "Authority"}),)}
    sentences: list[str] = []
    for check in (
        lambda: read_menu(folder, some, offices=offices),
        lambda: read_texts(folder / SMS),
    ):
        try:
            check()
        except MenuRefused as refused:
            sentences += refused.sentences
        except OSError as trouble:
            sentences.append(f"{trouble.filename}: {trouble.strerror}")
    return sentences


@dataclass
class _Reading:
    """One folder being read; faults are gathered, so that an author sees all of them at once."""

    folder: Path
    sentences: list[str] = field(default_factory=list)
    screens: dict[str, Screen] = field(default_factory=dict)
    lists: dict[str, tuple[Item, ...]] = field(default_factory=dict)

    def menu(
        self,
        lists: Mapping[str, tuple[Item, ...]],
        budget: int,
        values: Mapping[str, str],
    ) -> Menu | None:
        top: Top | None = None
        for path in sorted(self.folder.rglob("*.toml")):
            place = path.relative_to(self.folder)
            if place.as_posix() in APART:
                continue
            tables = self._parsed(path, place.as_posix())
            file = ".".join(place.with_suffix("").parts)
            if file == MAIN:
                menu = tables.pop(MENU, {})
                top = self._read("main.toml [menu]", partial(read_top, menu))
            self._take(file, tables)
        if top is None:
            self.sentences = self.sentences or ["main.toml [menu]: first is missing"]
            return None
        return Menu(
            first=full_name(MAIN, top.first),
            words=top.words,
            screens=self._listed({**lists, **self.lists}),
            lists={**lists, **self.lists},
            values={**top.values, **values},
            budget=budget,
            returns=frozenset(full_name(MAIN, name) for name in top.returns),
            owners=read_owners(self.folder),
        )

    def _parsed(self, path: Path, name: str) -> dict[str, Any]:
        try:
            return parsed(path, name)
        except MenuRefused as refused:
            self.sentences += refused.sentences
            return {}

    def _take(self, file: str, tables: dict[str, Any]) -> None:
        name = f"{file.replace('.', '/')}.toml"
        if not _plain(file):
            self.sentences.append(f"{name}: a file is named in lower case, a-z 0-9 _ -")
        lists = self._read(f"{name} [{LISTS}]", partial(table_of, tables.pop(LISTS, {})))
        for table, items in (lists or {}).items():
            read = self._read(f"{name} [{LISTS}.{table}]", partial(read_items, items))
            self.lists[f"{file}.{table}"] = read or ()
        for table, content in tables.items():
            place = f"{name} [{table}]"
            if "." in table:
                self.sentences.append(f"{place}: a screen's name has no dot")
            screen = self._read(place, partial(_screen, file, content))
            if screen is not None:
                self.screens[f"{file}.{table}"] = screen

    def _listed(self, lists: Collection[str]) -> dict[str, Screen]:
        """The screens, each list of a file's own called by its full name."""
        screens = dict(self.screens)
        for name, screen in screens.items():
            if isinstance(screen, Listing):
                own = full_name(name.rpartition(".")[0], screen.of)
                if own in lists:
                    screens[name] = replace(screen, of=own)
        return screens

    def _read(self, place: str, reading: Callable[[], T]) -> T | None:
        try:
            return reading()
        except Fault as fault:
            self.sentences.append(f"{place}: {fault}")
            return None


def _screen(file: str, content: Any) -> Screen:
    return read_screen(file, dict(table_of(content)))


def _plain(file: str) -> bool:
    return _FILE.fullmatch(file) is not None


def parsed(path: Path, name: str) -> dict[str, Any]:
    """What a TOML file holds; `name` is what its faults call it. Raises MenuRefused, OSError."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise MenuRefused([f"{name}: {trouble}"]) from None
