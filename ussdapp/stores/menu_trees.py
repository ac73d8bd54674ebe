"""Knows all that a menu is made of, as it lies in the folder, in memory and in PostgreSQL."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ussdapp.core.branches import Files, branch_of, overlaid
from ussdapp.core.inbound import Institution
from ussdapp.core.menu import Menu, items_of
from ussdapp.stores.menu_files import MenuRefused, read_menu


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by their place (`ega/bills.toml`), the institutions its lists show, the budget in
    septets, and the values any screen may show."""

    files: Files
    institutions: tuple[Institution, ...]
    budget: int
    values: Mapping[str, str]

    def menu(self, offices: Collection[str] | None = None) -> Menu:
        """The proven menu, in which only those offices are asked, None for any. Raises
        MenuRefused, OSError."""
        with TemporaryDirectory(prefix="ussdapp-menu-") as name:
            folder = Path(name)
            for path, text in self.files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, "utf-8", newline="")
            lists = {"institutions": items_of(self.institutions)}
            return read_menu(folder, lists, self.budget, self.values, offices)


def folder_files(folder: Path) -> dict[str, str]:
    """Every TOML file of a menu folder, by its place. Raises MenuRefused, OSError."""
    files: dict[str, str] = {}
    for path in sorted(folder.rglob("*.toml")):
        place = path.relative_to(folder).as_posix()
        try:
            files[place] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as trouble:
            raise MenuRefused([f"{place}: no UTF-8 at octet {trouble.start}"]) from None
    return files


def branch_files(folder: Path) -> dict[str, str]:
    """The TOML files lying directly in a folder, by name, the SMS texts left out. Raises
    MenuRefused, OSError."""
    found = folder_files(folder)
    return {place: text for place, text in found.items() if "/" not in place and branch_of(place)}


def folder_mark(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file of the folder does. Raises OSError."""
    stats = ((path, path.stat()) for path in sorted(folder.rglob("*.toml")))
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats)


@dataclass(frozen=True, slots=True)
class MenuProof:
    """Keeps ports.MenuProof over the folder the gateway came with; `offices` as in Tree.menu."""

    folder: Path
    budget: int
    values: Mapping[str, str]
    offices: Collection[str] | None = None

    def __call__(
        self, published: Mapping[str, Files], institutions: tuple[Institution, ...]
    ) -> list[str]:
        """Everything wrong with the tree that these published branches make."""
        try:
            files = overlaid(folder_files(self.folder), published)
            Tree(files, institutions, self.budget, self.values).menu(self.offices)
        except MenuRefused as refused:
            return refused.sentences
        return []
