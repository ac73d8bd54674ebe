"""Knows the menus being served: the folder's files, the branches published over them, and the
institutions there are now; and the menus of dialogues that began before.

Nobody waits for a new menu: one thread at a time asks PostgreSQL for news, at most every two
seconds, and builds what is new, while dialogues go on with the menu there is. What is served is
recorded first, so that any process can take up a dialogue where another left it.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, Protocol

import psycopg
import structlog

from ussdapp.core.branches import Files, implicated, overlaid
from ussdapp.core.inbound import Institution
from ussdapp.core.menu import Menu
from ussdapp.ports import Unavailable
from ussdapp.stores.menu_files import MenuRefused
from ussdapp.stores.menu_trees import Tree, folder_files, folder_mark

POLL_S: Final = 2.0
# What the first dialogues of a process wait for their institutions: longer than PostgreSQL is given
# to answer at all, so that they begin without any only where it is down.
FIRST_S: Final = 6.0
RECORDS_S: Final = 3600.0  # how often a tree that is served is noted as used
MOST_MENUS: Final = 16  # kept in memory, the longest unused go first

log = structlog.get_logger()


class Recorded(Protocol):
    """What stores.menu_versions keeps for the menus that are served. Raises Unavailable."""

    def seen(self) -> tuple[str, ...]: ...

    def standing(self) -> tuple[str, Mapping[str, Files]]: ...

    def record(self, version: str, tree: Tree) -> None: ...

    def recorded(self, version: str) -> Tree | None: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the gateway's own menu lies and what it is read with (stores.menu_trees), the offices
    it may ask, None for any, and whether it is read again when a file changes, as a developer
    wants it. What was published was proven then: an office that left since is out of order, and
    no reason to take a branch away."""

    path: Path
    budget: int
    values: Mapping[str, str]
    offices: Collection[str] | None = None
    follows: bool = False

    def tree(self) -> Tree:
        """Its files as a tree. Raises MenuRefused, OSError."""
        return Tree(folder_files(self.path), (), self.budget, self.values)

    def mark(self) -> object:
        """Changes when the tree has to be read again. Raises OSError."""
        return folder_mark(self.path) if self.follows else None


class LiveMenus:
    """Keeps ports.Menus. Raises MenuRefused when it is made from a folder that fails its proof;
    what fails later leaves the menu that is served."""

    def __init__(
        self,
        folder: Folder,
        recorded: Recorded,
        institutions: Callable[[], Sequence[Institution]],
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._recorded = recorded
        self._institutions = institutions
        self._clock = clock
        self._own = folder.tree()
        self._own_mark = folder.mark()
        self._current = self._own.menu(folder.offices)
        self._menus = _Kept(self._current)
        self._tree = self._own
        self._seen: object = None
        self._due = self._record_due = self._silent_until = float("-inf")
        self._warned = ""
        self._polling = Lock()
        self._loading = Lock()
        self._first = Event()

    def current(self) -> Menu:
        """The menu that new dialogues get; without PostgreSQL it is the last one known."""
        if self._clock() >= self._due and self._polling.acquire(blocking=False):
            self._due = self._clock() + POLL_S
            Thread(target=self._poll, name="menus", daemon=True).start()
        if not self._first.is_set():
            self._first.wait(FIRST_S)
            self._first.set()  # whoever comes after that does not wait as well
        return self._current

    def pinned(self, version: str) -> Menu | None:
        """The menu of that version, from memory or as it was recorded; None when it is forgotten,
        or PostgreSQL does not tell."""
        current = self._current
        menu = current if version == current.version else self._menus.get(version)
        if menu is not None:
            return menu
        with self._loading:
            return self._menus.get(version) or self._loaded(version)

    def refresh(self) -> None:
        """Serves what is now published, if anything changed; what cannot be had or fails its proof
        is left, with one warning."""
        try:
            seen = (self._recorded.seen(), self._folder.mark())
            if seen != self._seen:
                self._seen = self._serve_new(seen)
            elif self._clock() >= self._record_due:
                self._note_use()
        except (Unavailable, psycopg.Error, OSError) as trouble:
            self._warn(type(trouble).__name__, "")

    def _poll(self) -> None:
        try:
            self.refresh()
        finally:
            self._due = self._clock() + POLL_S
            self._polling.release()
            self._first.set()

    def _serve_new(self, seen: tuple[object, object]) -> tuple[object, object]:
        try:
            tree, menu = self._built(seen[1])
        except MenuRefused as refused:
            self._warn("MenuRefused", refused.sentences[0] if refused.sentences else "")
            return seen  # judged: it is not built again until something changes
        self._recorded.record(menu.version, tree)
        self._serve(tree, menu)
        return seen

    def _built(self, own_mark: object) -> tuple[Tree, Menu]:
        """The tree that is published now, without the branches that it cannot be proven with."""
        if own_mark != self._own_mark:
            self._own, self._own_mark = self._folder.tree(), own_mark
        _, published = self._recorded.standing()
        institutions = tuple(self._institutions())
        try:
            return self._over(published, institutions)
        except MenuRefused as refused:
            broken = implicated(refused.sentences, published)
            if not broken:
                raise
            log.warning("menu.branches_left_out", branches=sorted(broken))
            sound = {branch: files for branch, files in published.items() if branch not in broken}
            return self._over(sound, institutions)

    def _over(
        self, published: Mapping[str, Files], institutions: tuple[Institution, ...]
    ) -> tuple[Tree, Menu]:
        files = overlaid(self._own.files, published)
        tree = replace(self._own, files=files, institutions=institutions)
        return tree, tree.menu()

    def _serve(self, tree: Tree, menu: Menu) -> None:
        self._tree = tree
        self._record_due = self._clock() + RECORDS_S
        self._menus.put(menu.version, menu)
        self._current = menu
        self._warned = ""
        log.info("menu.served", version=menu.version, institutions=len(tree.institutions))

    def _note_use(self) -> None:
        self._recorded.record(self._current.version, self._tree)
        self._record_due = self._clock() + RECORDS_S

    def _loaded(self, version: str) -> Menu | None:
        if self._clock() < self._silent_until:
            return None
        try:
            tree = self._recorded.recorded(version)
            menu = tree.menu() if tree else None
        except (Unavailable, MenuRefused, OSError) as trouble:
            if isinstance(trouble, Unavailable):
                # the next ones do not wait for it again
                self._silent_until = self._clock() + POLL_S
            log.warning("menu.not_loaded", version=version, trouble=type(trouble).__name__)
            return None
        if menu is not None:
            self._menus.put(version, menu)
        return menu

    def _warn(self, trouble: str, detail: str) -> None:
        if self._warned != (warned := f"{trouble}: {detail}"):
            log.warning("menu.kept", trouble=trouble, detail=detail)
        self._warned = warned


class _Kept:
    """Menus by version, at most MOST_MENUS of them; safe for threads."""

    def __init__(self, menu: Menu) -> None:
        self._lock = Lock()
        self._menus = OrderedDict({menu.version: menu})

    def get(self, version: str) -> Menu | None:
        """That menu, noted as used."""
        with self._lock:
            if version in self._menus:
                self._menus.move_to_end(version)
            return self._menus.get(version)

    def put(self, version: str, menu: Menu) -> None:
        """Keeps it, and forgets the one unused for longest where there are too many."""
        with self._lock:
            self._menus[version] = menu
            self._menus.move_to_end(version)
            while len(self._menus) > MOST_MENUS:
                self._menus.popitem(last=False)
