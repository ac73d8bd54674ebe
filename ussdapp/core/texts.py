"""Knows how sentences for citizens are filled in; the sentences themselves live in `menus/`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_GAP: Final = re.compile(r"\{([a-z_]+)\}")
LANGUAGES: Final = ("sw", "en")


def fill(sentence: str, values: Mapping[str, str]) -> str:
    """Puts values into `{gaps}`, once: a value is never read for gaps itself."""
    return _GAP.sub(lambda gap: values[gap.group(1)], sentence)


def gaps(sentence: str) -> frozenset[str]:
    """The names a sentence shows."""
    return frozenset(_GAP.findall(sentence))


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences by name and language."""

    sentences: Mapping[str, Mapping[str, str]]

    def say(self, name: str, language: str, values: Mapping[str, str] | None = None) -> str:
        """The sentence, filled in; a language nobody wrote falls back to Kiswahili."""
        spoken = self.sentences[name]
        return fill(spoken.get(language) or spoken["sw"], values or {})
