"""What serving and publishing menus and templates needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from ussdapp.core.branches import Files, MenuVersion, Publisher
from ussdapp.core.inbound import Institution
from ussdapp.core.menu import Menu
from ussdapp.core.templates import TemplateVersion


class NoSuchBranch(LookupError):
    """The publisher has no branch of that name."""


class NoSuchVersion(LookupError):
    """The branch has no such version, or none before the one that stands."""


class Menus(Protocol):
    """Serves one menu to new dialogues and remembers those that running ones began with."""

    def current(self) -> Menu:
        """The menu that new dialogues get."""
        ...

    def pinned(self, version: str) -> Menu | None:
        """The menu of that version, or None when it is forgotten."""
        ...


class Templates(Protocol):
    """Keeps institutions' templates, whose versions never change. Raises Unavailable."""

    def all(self, institution: str) -> tuple[TemplateVersion, ...]:
        """What stands of each, by name."""
        ...

    def of(self, institution: str, name: str) -> tuple[TemplateVersion, ...]:
        """The versions of one, the newest first. Raises NoSuchTemplate."""
        ...

    def found(self, institution: str, name: str, version: int | None) -> TemplateVersion:
        """That version, or the one that stands. Raises NoSuchTemplate."""
        ...

    def publish(
        self, institution: str, name: str, texts: tuple[str, str], by: str, at: datetime
    ) -> tuple[TemplateVersion, bool]:
        """Commits the Kiswahili and the English text as a version that stands from now on, and
        tells whether it is new: what stands already is not."""
        ...

    def roll_back(
        self, institution: str, name: str, to: int | None, by: str, at: datetime
    ) -> TemplateVersion:
        """Commits that version `to` stands, or the one before. Raises NoSuchTemplate,
        NoSuchVersion."""
        ...


class MenuVersions(Protocol):
    """Keeps what was published of each branch of the menu, and which version of it stands. Raises
    Unavailable."""

    def standing(self) -> tuple[str, Mapping[str, Files]]:
        """The files of each branch that has a published version standing, and a mark of it."""
        ...

    def publish(
        self, changes: Mapping[str, Files], by: Publisher, at: datetime, mark: str
    ) -> tuple[MenuVersion, ...] | None:
        """Commits new versions that stand from now on, with who and when; None, and nothing done,
        when what stands has changed since the mark was given."""
        ...

    def move(
        self, branch: str, version: int | None, by: Publisher, at: datetime, mark: str
    ) -> bool:
        """Commits that an older version stands, None for no published one; False, and nothing
        done, when what stands has changed since the mark was given."""
        ...

    def files(self, branch: str, version: int) -> Files | None:
        """What that version of the branch holds; None when the branch has no such version."""
        ...

    def of(self, branch: str | None) -> tuple[MenuVersion, ...]:
        """The versions of a branch, or of all of them, the newest of each first."""
        ...


class MenuProof(Protocol):
    """Proves the whole menu that published branches make over the files of the gateway."""

    def __call__(
        self, published: Mapping[str, Files], institutions: tuple[Institution, ...]
    ) -> list[str]:
        """Everything wrong with it, each a sentence that begins with its file's place."""
        ...
