"""PostgreSQL's folders as tests hand them on: a test that wants a server, but no new one, goes on
with the folder of the test before, since making a cluster takes a second."""

import secrets
from pathlib import Path


class Clusters:
    """Folders such as embedded.postgres leaves behind, at rest; `shelf` is on the tests' file
    system."""

    def __init__(self, shelf: Path) -> None:
        self._shelf = shelf

    def lend(self, folder: Path) -> None:
        """Put one at `folder`, when there is any; else a server that starts there makes its own."""
        for kept in self._shelf.iterdir():
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept.rename(folder)
            return

    def take_back(self, folder: Path) -> None:
        """Keep what is there, if anything; its server has ended."""
        if (folder / "data").exists():
            folder.rename(self._shelf / secrets.token_hex(4))
