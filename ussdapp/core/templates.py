"""Knows named texts in both languages: their versions, what fills them, and what refuses one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ussdapp.core.parts import MOST_PARTS, fits
from ussdapp.core.phishing import of_worded
from ussdapp.core.placeholders import Worded, folded, worded

NAME: Final = r"[a-z0-9][a-z0-9_-]{0,59}"
_REFERENCE: Final = re.compile(rf"({NAME})(?:@([1-9][0-9]{{0,6}}))?")
_ENGLISH: Final = "en"


class NoSuchTemplate(LookupError):
    """The institution has no template of that name, or no such version of it."""


class ValuesLacking(ValueError):
    """Nothing fills some placeholders: `names`, as the template spells them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"Nothing fills {', '.join(f'(({name}))' for name in names[:10])}.")
        self.names = names


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """What is wrong with one of the two texts: `sw` or `en`."""

    field: str
    code: str
    sentence: str


class TemplateRefused(ValueError):
    """A template that may not be published, and everything that is wrong with it."""

    def __init__(self, faults: tuple[TemplateFault, ...]) -> None:
        super().__init__(" ".join(fault.sentence for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A version of a template, which never changes; `current` when it is the one that stands."""

    name: str
    version: int
    sw: str
    en: str
    published_by: str
    published_at: datetime
    current: bool

    @property
    def reference(self) -> str:
        """What names exactly this version."""
        return f"{self.name}@{self.version}"

    def text(self, language: str) -> str:
        """The text for who chose that language."""
        return self.en if language == _ENGLISH else self.sw

    def filled(self, language: str, values: Mapping[str, str]) -> str:
        """The same with every placeholder filled; raises ValuesLacking."""
        text = worded(self.text(language))
        given = {folded(name): value.strip() for name, value in values.items()}
        lacking = tuple(name for name in text.names if not given.get(folded(name)))
        if lacking:
            raise ValuesLacking(lacking)
        return text.filled([given[folded(name)] for name in text.names])


@dataclass(frozen=True, slots=True, repr=False)
class TemplateUse:
    """What an institution asks to be written with: a template, by name or by name and version, and
    what fills it."""

    name: str
    version: int | None
    values: Mapping[str, str]


def use_of(reference: str, values: Mapping[str, str]) -> TemplateUse:
    """Of `name`, whose version stands when it is used, or of `name@3`; raises NoSuchTemplate for
    what can be neither."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise NoSuchTemplate
    return TemplateUse(found[1], int(found[2]) if found[2] else None, values)


def check(sw: str, en: str) -> None:
    """Raises TemplateRefused with everything that is wrong with the two texts of a template."""
    texts = {"sw": worded(sw), "en": worded(en)}
    faults = [fault for name, text in texts.items() for fault in _alone(name, text)]
    faults += _lacking(texts["sw"], texts["en"], "en", "sw")
    faults += _lacking(texts["en"], texts["sw"], "sw", "en")
    if faults:
        raise TemplateRefused(tuple(faults))


def _alone(name: str, text: Worded) -> Iterator[TemplateFault]:
    if found := of_worded(text):
        yield TemplateFault(name, found.code, found.sentence)
    if not fits(text.least, MOST_PARTS):
        yield TemplateFault(name, "too_long", f"It takes more than {MOST_PARTS} parts.")


def _lacking(has: Worded, lacks: Worded, where: str, other: str) -> Iterator[TemplateFault]:
    """A fault for each placeholder of the one that the other, `where`, has not."""
    known = set(map(folded, lacks.names))
    for name in has.names:
        if folded(name) not in known:
            told = f"(({name})) stands in {other} and not here: use it in both, or in neither."
            yield TemplateFault(where, "placeholder", told)
