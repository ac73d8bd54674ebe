"""Knows how menus are written: TOML files in a folder, proven as a whole before any is served.

A screen is a table; its full name is `<file>.<table>`. A goto without a dot stays in its file.
`main.toml` also holds `[menu]`: the first screen and the sentences that every screen shares.
"""

import tomllib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

from ussdapp.core.asks import ASKS
from ussdapp.core.menu import Item, Menu, Screen, Spoken
from ussdapp.core.proof import faults
from ussdapp.core.texts import Texts
from ussdapp.stores.menu_tables import (
    Fault,
    full_name,
    read_screen,
    read_spoken,
    read_top,
    table_of,
)

SMS: Final = "sms.toml"
MAIN: Final = "main"
MOST_VERSIONS: Final = 8


class MenuRefused(Exception):
    """A menu that may not be served; `sentences` says everything that is wrong with it."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


class ServedMenus:
    """Keeps ports.Menus: the newest menu is served, dialogues stay on the one they began with."""

    def __init__(self, menu: Menu) -> None:
        self._lock = Lock()
        self._menus: OrderedDict[str, Menu] = OrderedDict()
        self.serve(menu)

    def serve(self, menu: Menu) -> None:
        """From now on new dialogues get this menu."""
        with self._lock:
            self._menus.pop(menu.version, None)
            self._menus[menu.version] = menu
            while len(self._menus) > MOST_VERSIONS:
                self._menus.popitem(last=False)
            self._current = menu

    def current(self) -> Menu:
        """The menu that new dialogues get."""
        return self._current

    def pinned(self, version: str) -> Menu | None:
        """The menu of that version, None when it is forgotten."""
        return self._menus.get(version)


def read_menu(
    folder: Path,
    lists: Mapping[str, tuple[Item, ...]],
    budget: int = 160,
    values: Mapping[str, str] | None = None,
) -> Menu:
    """The folder's menu, proven. `lists` by the names its screens use (`institutions`), `budget`
    in septets, `values` in the place of `[menu.values]`. Raises MenuRefused, OSError."""
    reading = _Reading(folder)
    menu = reading.menu(lists, budget, values or {})
    if reading.sentences or menu is None:
        raise MenuRefused(reading.sentences)
    if wrong := faults(menu, ASKS):
        raise MenuRefused(wrong)
    return menu


def read_texts(path: Path) -> Texts:
    """Sentences by name, from a file of `[name] sw = , en =`. Raises MenuRefused, OSError."""
    sentences: list[str] = []
    texts: dict[str, Spoken] = {}
    for name, table in _parsed(path, sentences).items():
        try:
            texts[name] = read_spoken(table_of(table))
        except Fault as fault:
            sentences.append(f"{path.name} [{name}]: {fault}")
    if sentences:
        raise MenuRefused(sentences)
    return Texts(texts)


def check_menus(folder: Path) -> list[str]:
    """Everything wrong with a folder's menus and texts; an empty list when they may be served."""
    some = {"institutions": (Item("ega", {"sw": "Mamlaka", "en": "Authority"}),)}
    sentences: list[str] = []
    for check in (lambda: read_menu(folder, some), lambda: read_texts(folder / SMS)):
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

    def menu(
        self,
        lists: Mapping[str, tuple[Item, ...]],
        budget: int,
        values: Mapping[str, str],
    ) -> Menu | None:
        screens: dict[str, Screen] = {}
        top: dict[str, Any] = {}
        for path in sorted(self.folder.rglob("*.toml")):
            if path.name != SMS:
                tables = _parsed(path, self.sentences)
                file = ".".join(path.relative_to(self.folder).with_suffix("").parts)
                if file == MAIN:
                    top = tables.pop("menu", {})
                screens |= self._screens(file, tables)
        try:
            first, words, shown = read_top(top)
        except Fault as fault:
            self.sentences.append(f"main.toml [menu]: {fault}")
            return None
        return Menu(full_name(MAIN, first), words, screens, lists, {**shown, **values}, budget)

    def _screens(self, file: str, tables: dict[str, Any]) -> dict[str, Screen]:
        screens: dict[str, Screen] = {}
        for name, table in tables.items():
            try:
                screens[f"{file}.{name}"] = read_screen(file, dict(table_of(table)))
            except Fault as fault:
                self.sentences.append(f"{file.replace('.', '/')}.toml [{name}]: {fault}")
        return screens


def _parsed(path: Path, sentences: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as trouble:
        sentences.append(f"{path.name}: {trouble}")
        return {}
