"""One menu that is served, for tests of dialogues."""

from ussdapp.core.menu import Menu


class ServedMenus:
    """Keeps ports.Menus: the newest menu is served, dialogues stay on the one they began with."""

    def __init__(self, menu: Menu) -> None:
        self._menus: dict[str, Menu] = {}
        self.serve(menu)

    def serve(self, menu: Menu) -> None:
        self._menus[menu.version] = self._current = menu

    def current(self) -> Menu:
        return self._current

    def pinned(self, version: str) -> Menu | None:
        return self._menus.get(version)
