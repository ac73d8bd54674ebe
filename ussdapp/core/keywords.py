"""Knows what a text to the short code asks for (CONTRACT section 7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ussdapp.core.case import MOST_WORDS, Kind
from ussdapp.core.screen_text import cleaned

_FIELDS: Final = re.compile(r"[\s*#]+")
_STOPS: Final = ".,;:!?"
_REFERENCE: Final = re.compile(r"[0-9](?:[\s*#-]*[0-9]){11}(?![0-9])")


class Verb(Enum):
    """What a citizen wants done."""

    HELP = "help"
    FILE = "file"
    ADD = "add"
    STATUS = "status"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    LANGUAGE = "language"
    UNKNOWN = "unknown"


WORDS: Final[Mapping[str, Verb]] = {
    "MSAADA": Verb.HELP,
    "HELP": Verb.HELP,
    "HALI": Verb.STATUS,
    "STATUS": Verb.STATUS,
    "ZAIDI": Verb.ADD,
    "MORE": Verb.ADD,
    "ACHA": Verb.OPT_OUT,
    "ONDOA": Verb.OPT_OUT,
    "STOP": Verb.OPT_OUT,
    "ANZA": Verb.OPT_IN,
    "START": Verb.OPT_IN,
    "LUGHA": Verb.LANGUAGE,
    "LANGUAGE": Verb.LANGUAGE,
} | {kind.value.upper(): Verb.FILE for kind in Kind}
# STOP is no English for those who write it: every operator's notices teach the word
_ENGLISH: Final = frozenset({"HELP", "STATUS", "MORE", "START", "LANGUAGE"})


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """A text, understood: `word` is its keyword, `subject` the next field, `words` all after it."""

    verb: Verb
    word: str = ""
    subject: str = ""
    words: str = ""

    @property
    def language(self) -> str:
        """What it is answered in where the citizen's language is not known."""
        return "en" if self.word in _ENGLISH else "sw"

    @property
    def rest(self) -> str:
        """Everything after the keyword, as for a reference typed with spaces."""
        return f"{self.subject} {self.words}".strip()

    @property
    def tells(self) -> bool:
        """Whether it brings words for a case, which are to be kept once however often they come."""
        if self.verb is Verb.ADD:
            return bool(self.addition[1])
        return self.verb is Verb.FILE and bool(self.words)

    @property
    def addition(self) -> tuple[str, str]:
        """The twelve digits that begin what follows the keyword, and the words after them; no
        digits where there are fewer or more."""
        match = _REFERENCE.match(self.rest)
        if match is None:
            return "", self.rest
        words = self.rest[match.end() :].lstrip(f" *#-{_STOPS}")
        return "".join(filter(str.isdigit, match[0])), words


def read(text: str) -> Command:
    """What the text asks for; never raises."""
    word, rest = _field(cleaned(text).strip()[:MOST_WORDS])
    verb = WORDS.get(word.upper(), Verb.UNKNOWN)
    subject, words = _field(rest)
    return Command(verb, word.upper(), subject, words)


def fields(text: str) -> list[str]:
    """Its fields, without the stops and commas that people write after them."""
    return [bare for field in _FIELDS.split(text) if (bare := field.strip(_STOPS))]


def _field(text: str) -> tuple[str, str]:
    """The first field and what follows its separators, unchanged."""
    head, *rest = _FIELDS.split(text.lstrip(" *#"), maxsplit=1)
    return head, rest[0] if rest else ""
