"""Published branches in memory, and a proof that can be told what it finds wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ussdapp.core.branches import Files, MenuVersion, Publisher, digest_of
from ussdapp.core.inbound import Institution, KeyHolder
from ussdapp.usecases.publish_menu import PublishMenu


class FakeVersions:
    """Keeps ports.MenuVersions; `rivals` are run, one each time, just before something is kept."""

    def __init__(self) -> None:
        self.kept: list[tuple[MenuVersion, Files]] = []
        self.pointers: dict[str, int] = {}
        self.audit: list[tuple[str, str, str]] = []
        self.rivals: list[Callable[[], object]] = []

    def standing(self) -> tuple[str, Mapping[str, Files]]:
        return str(self.pointers), {
            one.branch: files for one, files in self.kept if self.pointers.get(one.branch) == one.id
        }

    def publish(
        self, changes: Mapping[str, Files], by: Publisher, at: datetime, mark: str
    ) -> tuple[MenuVersion, ...] | None:
        if not self._still(mark):
            return None
        new = []
        for branch, files in changes.items():
            one = MenuVersion(
                branch, len(self.kept) + 1, digest_of(files), by.name, at, current=True
            )
            self.kept.append((one, files))
            self.pointers[branch] = one.id
            self.audit.append((by.name, "menu.published", f"{branch}/{one.id}"))
            new.append(one)
        return tuple(new)

    def move(
        self, branch: str, version: int | None, by: Publisher, at: datetime, mark: str
    ) -> bool:
        if not self._still(mark):
            return False
        self.pointers.pop(branch, None)
        if version is not None:
            self.pointers[branch] = version
        self.audit.append((by.name, "menu.rolled_back", f"{branch}/{version or 'folder'}"))
        return True

    def files(self, branch: str, version: int) -> Files | None:
        return next((f for one, f in self.kept if (one.branch, one.id) == (branch, version)), None)

    def of(self, branch: str | None) -> tuple[MenuVersion, ...]:
        return tuple(
            MenuVersion(
                one.branch, one.id, one.digest, one.published_by, one.published_at,
                current=self.pointers.get(one.branch) == one.id,
            )
            for one, _ in sorted(self.kept, key=lambda pair: (pair[0].branch, -pair[0].id))
            if branch in (None, one.branch)
        )  # fmt: skip

    def _still(self, mark: str) -> bool:
        if self.rivals:
            self.rivals.pop(0)()
        return mark == str(self.pointers)


@dataclass
class FakeInstitutions:
    """Keeps ports.Institutions."""

    known: tuple[Institution, ...] = (
        Institution("ega", "Mamlaka ya Serikali Mtandao", "e-GA"),
        Institution("gepg", "Mfumo wa Malipo", "Payments"),
    )

    def all(self) -> tuple[Institution, ...]:
        return self.known

    def named(self, short_name: str) -> str | None:
        found = (one.short_name for one in self.known if one.short_name == short_name.lower())
        return next(found, None)

    def holder(self, key: str, at: datetime) -> KeyHolder | None:
        return None


@dataclass
class FakeProof:
    """Finds a fault in each file that holds `broken`, and counts how often it was asked."""

    asked: list[Mapping[str, Files]] = field(default_factory=list)

    def __call__(
        self, published: Mapping[str, Files], institutions: tuple[Institution, ...]
    ) -> list[str]:
        self.asked.append(published)
        return [
            f"{'' if branch == 'main' else branch + '/'}{name} [a]: it is broken"
            for branch, files in published.items()
            for name, text in files.items()
            if "broken" in text
        ]


@dataclass
class Publishing:
    """The use case and what stands around it."""

    versions: FakeVersions = field(default_factory=FakeVersions)
    institutions: FakeInstitutions = field(default_factory=FakeInstitutions)
    proof: FakeProof = field(default_factory=FakeProof)

    def __post_init__(self) -> None:
        self.publish = PublishMenu(self.versions, self.institutions, self.proof)

    def standing(self) -> dict[str, Files]:
        return dict(self.versions.standing()[1])
