"""Templates and citizens' languages in memory."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.templates import NoSuchTemplate, TemplateVersion

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass
class Shelf:
    """Versions by name, the last of them standing."""

    kept: dict[str, list[TemplateVersion]] = field(default_factory=dict)

    def add(self, name: str, sw: str, en: str) -> None:
        versions = self.kept.setdefault(name, [])
        versions.append(TemplateVersion(name, len(versions) + 1, sw, en, "key 1", NOON, True))

    def found(self, institution: str, name: str, version: int | None) -> TemplateVersion:
        versions = self.kept.get(name, [])
        if not versions or not 0 < (version or 1) <= len(versions):
            raise NoSuchTemplate
        return versions[-1 if version is None else version - 1]


@dataclass
class Speakers:
    """Who chose English."""

    english: frozenset[Msisdn] = frozenset()

    def speaking(self, language: str, msisdns: Collection[Msisdn]) -> frozenset[Msisdn]:
        return self.english & frozenset(msisdns) if language == "en" else frozenset()
