"""Knows what a branch of the menu is: `main`, the files lying directly in the folder, or an
institution's short name, the files in its own folder."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

MAIN: Final = "main"
SMS: Final = "sms.toml"
KEYWORDS: Final = "keywords.toml"
OWNERS: Final = "owners.toml"
# no screens, and so of no branch: what is written by SMS, what is asked by SMS, whose a branch is
APART: Final = frozenset({SMS, KEYWORDS, OWNERS})
NO_OWNERS: Final[Mapping[str, str]] = MappingProxyType({})  # each branch is its namesake's
MOST_FILES: Final = 50  # of one branch
MOST_OCTETS: Final = 256 * 1024  # of one branch, all its files in UTF-8
FILE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}\.toml")  # a file's name in a branch
_PLACE: Final = re.compile(r"([\w./-]+\.toml)\b")

Files = Mapping[str, str]  # texts by name: "bills.toml" in a branch, "ega/bills.toml" in a tree


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes: a name for the record, and the institution, None for the gateway's own
    staff."""

    name: str
    institution: str | None = None

    def owns(self, branch: str, owners: Mapping[str, str] = NO_OWNERS) -> bool:
        """Whether the branch is theirs to read and to publish."""
        # an institution may be called main, and yet main is not its branch
        owner = owner_of(branch, owners)
        return self.institution is None or (branch != MAIN and self.institution == owner)


@dataclass(frozen=True, slots=True)
class MenuVersion:
    """One published version of a branch, without its files; `current` when it is the one that
    stands."""

    branch: str
    id: int
    digest: str
    published_by: str
    published_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a branch: the file by its name in the branch, "" where none is named."""

    file: str
    code: str
    message: str


class BranchRefused(Exception):
    """A branch that may not be published; `complaints` says everything that is wrong with it."""

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        super().__init__("\n".join(complaint.message for complaint in complaints))
        self.complaints = complaints


def owner_of(branch: str, owners: Mapping[str, str]) -> str:
    """The short name of the institution whose branch it is: as `owners` says, or its own name."""
    return owners.get(branch, branch)


def digest_of(files: Files) -> str:
    """Equal for equal files."""
    written = json.dumps(dict(files), sort_keys=True).encode()
    return hashlib.blake2b(written, digest_size=8).hexdigest()


def branch_of(path: str) -> str:
    """The branch that a file of a tree belongs to; "" for those that hold no screens."""
    folder, _, _ = path.rpartition("/")
    return folder.partition("/")[0] or ("" if path in APART else MAIN)


def in_tree(branch: str, files: Files) -> dict[str, str]:
    """A branch's files by their place in the tree."""
    above = "" if branch == MAIN else f"{branch}/"
    return {f"{above}{name}": text for name, text in files.items()}


def overlaid(files: Files, published: Mapping[str, Files]) -> dict[str, str]:
    """A tree in which each published branch stands in the place of its own files."""
    tree = {path: text for path, text in files.items() if branch_of(path) not in published}
    for branch, own in published.items():
        tree |= in_tree(branch, own)
    return tree


def unfit(files: Files) -> Iterator[Complaint]:
    """What is wrong with a branch's files before they are read: names, number and size."""
    if not files:
        yield Complaint("", "required", "A branch needs a file.")
    if len(files) > MOST_FILES:
        yield Complaint("", "too_many", f"A branch has at most {MOST_FILES} files.")
    if sum(len(text.encode("utf-8", "replace")) for text in files.values()) > MOST_OCTETS:
        yield Complaint("", "too_large", f"A branch has at most {MOST_OCTETS // 1024} kB.")
    for name, text in files.items():
        if not FILE.fullmatch(name) or name in APART:
            yield Complaint("?", "name", "A file is named like bills.toml, in lower case.")
        elif any("\ud800" <= character <= "\udfff" for character in text):
            yield Complaint(name, "characters", f"{name} holds what is no character.")


def complaint(sentence: str, branch: str) -> Complaint:
    """A sentence of a proof, by the file of that branch that it is about. What it says of another
    institution's branch is kept from this one."""
    place = _PLACE.match(sentence)
    path = place.group(1) if place else ""
    above = "" if branch == MAIN else f"{branch}/"
    if branch != MAIN and branch_of(path) not in ("", MAIN, branch):
        return Complaint("", "menu", "Another branch needs what this one would take away.")
    return Complaint(path.removeprefix(above), "menu", sentence)


def implicated(sentences: Iterable[str], published: Mapping[str, Files]) -> frozenset[str]:
    """The published branches whose files those sentences of a proof are about."""
    places = (_PLACE.match(sentence) for sentence in sentences)
    return frozenset(branch_of(place.group(1)) for place in places if place) & published.keys()
