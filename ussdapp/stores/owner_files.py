"""Knows what must be true of whose the branches of a menu are."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ussdapp.core.branches import OWNERS, owner_of
from ussdapp.stores.menu_files import MenuRefused, read_owners


def check_owners(folder: Path, institutions: Collection[str]) -> list[str]:
    """Every branch of a folder that is no known institution's, each a sentence; `institutions` by
    short name. Raises OSError."""
    try:
        owners = read_owners(folder)
    except MenuRefused as refused:
        return refused.sentences
    return list(_faults(_branches(folder), owners, institutions))


def _branches(folder: Path) -> list[str]:
    return sorted({path.relative_to(folder).parts[0] for path in folder.glob("*/**/*.toml")})


def _faults(
    branches: Collection[str], owners: Mapping[str, str], institutions: Collection[str]
) -> Iterator[str]:
    for branch in owners:
        if branch not in branches:
            yield f"{OWNERS} {branch}: there is no folder {branch}/: take the line out or rename it"
    for branch in branches:
        owner = owner_of(branch, owners)
        if owner in institutions:
            continue
        if branch in owners:
            yield (
                f"{OWNERS} {branch}: {owner!r} is no institution of the directory: write the short "
                "name of one that is"
            )
        else:
            yield (
                f"{branch}/: {branch!r} is no institution of the directory: say in {OWNERS} whose "
                f'it is, as {branch} = "ega"'
            )
