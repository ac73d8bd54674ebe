"""Knows the menu being served: the files, with the institutions there are now."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Final

import structlog

from ussdapp.core.inbound import Institution
from ussdapp.core.menu import Menu, items_of
from ussdapp.ports import Unavailable
from ussdapp.stores.menu_files import MenuRefused, ServedMenus, read_menu

_REREAD_S: Final = 30.0  # how long a new institution may be missing from the list

log = structlog.get_logger()


class LiveMenus:
    """Keeps ports.Menus. Raises MenuRefused when it is made from a menu that fails its proof; a
    later reading that fails leaves the menu that is served."""

    def __init__(
        self,
        folder: Path,
        institutions: Callable[[], Sequence[Institution]],
        budget: int,
        values: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._institutions = institutions
        self._budget = budget
        self._values = values
        self._clock = clock
        self._known: Sequence[Institution] = ()
        self._served = ServedMenus(self._menu(()))
        self._read_at: float | None = None
        self._reading = Lock()

    def current(self) -> Menu:
        """The menu that new dialogues get; without PostgreSQL its list of institutions is old."""
        stale = self._read_at is None or self._clock() - self._read_at > _REREAD_S
        # one citizen waits for the reading, the others get the menu there is
        if stale and self._reading.acquire(blocking=self._read_at is None):
            try:
                self._reread()
            finally:
                self._reading.release()
        return self._served.current()

    def pinned(self, version: str) -> Menu | None:
        """The menu of that version, or None when it is forgotten."""
        return self._served.pinned(version)

    def _reread(self) -> None:
        try:
            institutions = self._institutions()
            if institutions != self._known:
                self._served.serve(self._menu(institutions))
                self._known = institutions
                log.info("menu.served", institutions=len(institutions))
            self._read_at = self._clock()
        except (Unavailable, MenuRefused) as trouble:
            log.warning("menu.kept", trouble=type(trouble).__name__)

    def _menu(self, institutions: Sequence[Institution]) -> Menu:
        lists = {"institutions": items_of(institutions)}
        return read_menu(self._folder, lists, self._budget, self._values)
