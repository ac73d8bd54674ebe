"""A branch of the menu is published, or an older version of it stands again: proven first, as
part of the whole menu, so that what is bad never replaces what is good.

The proof is made outside the lock, over what stood then; where another publisher was quicker it
is made again. So a slow proof keeps nobody waiting, and no tree stands that was not proven whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from ussdapp.core.branches import (
    MAIN,
    BranchRefused,
    Files,
    MenuVersion,
    Publisher,
    complaint,
    digest_of,
    implicated,
    owner_of,
    unfit,
)
from ussdapp.ports import (
    Institutions,
    MenuProof,
    MenuVersions,
    NoSuchBranch,
    NoSuchVersion,
    Unavailable,
)

TRIES: Final = 10  # against publishers who were quicker

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PublishMenu:
    """An institution has its own branch alone; of another it is told what it is told of none:
    NoSuchBranch. `owners` are the institutions of branches that are not called after them. All
    raise Unavailable."""

    versions: MenuVersions
    institutions: Institutions
    proof: MenuProof
    owners: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, by: Publisher, changes: Mapping[str, Files], now: datetime
    ) -> tuple[MenuVersion, ...]:
        """The versions that stand from now on; several branches change together or not at all,
        and the files that stand already are no new version. Raises BranchRefused."""
        self._admit(by, changes)
        for _ in range(TRIES):
            mark, standing = self.versions.standing()
            self._prove(by, standing, changes)
            new = {
                branch: files
                for branch, files in changes.items()
                if branch not in standing or digest_of(standing[branch]) != digest_of(files)
            }
            kept = self.versions.publish(new, by, now, mark) if new else ()
            if kept is not None:
                self._note("menu.published", by, kept)
                return (*kept, *self._standing(set(changes) - set(new)))
        raise Unavailable("other publishers were quicker every time")

    def check(self, by: Publisher, changes: Mapping[str, Files]) -> None:
        """The same proof with nothing kept. Raises BranchRefused."""
        self._admit(by, changes)
        _, standing = self.versions.standing()
        self._prove(by, standing, changes)

    def roll_back(
        self, by: Publisher, branch: str, to: int | None, now: datetime
    ) -> MenuVersion | None:
        """Lets the version `to` stand, 0 for the files that came with the gateway, None for the
        version before the one that stands. Raises NoSuchVersion, BranchRefused."""
        for _ in range(TRIES):
            mark, standing = self.versions.standing()
            number = self._proven(by, standing, branch, to)
            if self.versions.move(branch, number or None, by, now, mark):
                log.info("menu.rolled_back", branch=branch, version=number)
                return next(iter(self._standing({branch})), None)
        raise Unavailable("other publishers were quicker every time")

    def check_roll_back(self, by: Publisher, branch: str, to: int | None) -> None:
        """The same proof with nothing moved. Raises NoSuchVersion, BranchRefused."""
        _, standing = self.versions.standing()
        self._proven(by, standing, branch, to)

    def of(self, by: Publisher, branch: str | None) -> tuple[MenuVersion, ...]:
        """The published versions of a branch, the newest first; staff may ask for all branches."""
        if branch is None:
            return tuple(
                found for found in self.versions.of(None) if by.owns(found.branch, self.owners)
            )
        self._admit(by, (branch,))
        return self.versions.of(branch)

    def _proven(
        self, by: Publisher, standing: Mapping[str, Files], branch: str, to: int | None
    ) -> int:
        """The number of the version that may stand again."""
        history = self.of(by, branch)
        number = _before(history) if to is None else to
        self._prove(by, standing, self._older(branch, number), without=branch)
        return number

    def _admit(self, by: Publisher, branches: Mapping[str, Files] | tuple[str, ...]) -> None:
        for branch in branches:
            owner = owner_of(branch, self.owners)
            # whose it is first: a name of anything is no question for PostgreSQL
            ours = by.owns(branch, self.owners)
            if not ours or (branch != MAIN and self.institutions.named(owner) != owner):
                raise NoSuchBranch(f"there is no branch {branch!r}")

    def _prove(
        self,
        by: Publisher,
        standing: Mapping[str, Files],
        changes: Mapping[str, Files],
        without: str = "",
    ) -> None:
        told = next(iter(changes), without) if by.institution else MAIN
        if found := tuple(one for files in changes.values() for one in unfit(files)):
            raise BranchRefused(found)
        institutions = self.institutions.all()
        rest = {branch: files for branch, files in standing.items() if branch != without}
        sentences = self.proof({**rest, **changes}, institutions)
        if sentences:
            # a branch that a later release broke must not keep the others from publishing
            broken = implicated(self.proof(standing, institutions), standing)
            sound = {branch: files for branch, files in rest.items() if branch not in broken}
            if len(sound) < len(rest):
                sentences = self.proof({**sound, **changes}, institutions)
        if sentences:
            raise BranchRefused(tuple(complaint(sentence, told) for sentence in sentences))

    def _older(self, branch: str, number: int) -> dict[str, Files]:
        if number == 0:
            return {}
        files = self.versions.files(branch, number)
        if files is None:
            raise NoSuchVersion(f"{branch} has no version {number}")
        return {branch: files}

    def _standing(self, branches: set[str]) -> tuple[MenuVersion, ...]:
        found = (one for branch in sorted(branches) for one in self.versions.of(branch))
        return tuple(one for one in found if one.current)

    def _note(self, event: str, by: Publisher, kept: tuple[MenuVersion, ...]) -> None:
        for one in kept:
            log.info(event, branch=one.branch, version=one.id, institution=by.institution)


def _before(history: tuple[MenuVersion, ...]) -> int:
    """The number of the version before the one that stands."""
    current = next((place for place, one in enumerate(history) if one.current), None)
    if current is None:
        raise NoSuchVersion("the files that came with the gateway stand: none was before them")
    return history[current + 1].id if current + 1 < len(history) else 0
