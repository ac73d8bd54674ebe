"""Knows the services that are asked for by SMS: which text asks for which, and what is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ussdapp.core.asks import DETAILS
from ussdapp.core.back_office import Asker, LookedUp, Mode, Question
from ussdapp.core.keywords import Command, fields
from ussdapp.core.kinds import KINDS
from ussdapp.core.office import found_looked_up
from ussdapp.core.patterns import accepted
from ussdapp.core.quiet import EAT
from ussdapp.core.screen_text import fill, fit, gaps, readable
from ussdapp.core.screens import Input, Lookup, Spoken

KEYWORD_OFFICE: Final = "keyword."  # before a keyword that is an institution's own
# Septets that two parts always hold: an escape that would be cut in two leaves one of them empty.
ROOM: Final = 305
CODES: Final = ("msimbo", "namba_fupi")  # what any sentence may show


@dataclass(frozen=True, slots=True)
class Service:
    """One question to one office. `words` are its keywords, of one or two fields in capitals.
    `typed` says which value it takes and what a wrong one is told, unless `values` holds all there
    are, as typed in capitals and as sent; `asks` is the office, its title and what it brings;
    `institution` the short name of whose it is."""

    words: tuple[str, ...]
    typed: Input
    asks: Lookup
    found: Spoken
    missing: Spoken
    institution: str
    values: Mapping[str, str] = field(default_factory=dict)

    def value(self, given: Sequence[str]) -> str | None:
        """What is sent of the fields after the keyword, None when it is not one of its values."""
        if self.values:
            return self.values.get(" ".join(given).upper())
        for glue in (" ", ""):
            value = accepted(self.typed, glue.join(given), "")
            if value is not None:
                return value
        return None

    def shown(self, value: str) -> str:
        """The value as a citizen reads it."""
        return KINDS[self.typed.takes].shown(value) if self.typed.takes else value

    def title(self, language: str) -> str:
        """How it is called in a sentence that all services share."""
        return (self.asks.title or {}).get(language, self.asks.of)

    @property
    def brought(self) -> frozenset[str]:
        """The names under which its sentence may show what the office tells."""
        return frozenset(self.asks.brings or DETAILS)


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A service that a text asks for; `value` is None when the text holds none that it takes."""

    service: Service
    value: str | None

    def refusal(self, language: str, codes: Mapping[str, str]) -> str:
        """What a citizen reads who wrote no value that is taken."""
        return _filled(self.service.typed.wrong[language], codes)

    def answer(self, told: LookedUp, language: str, codes: Mapping[str, str]) -> str:
        """What the citizen reads of the office's answer, at most ROOM septets: what is longest is
        cut first, the value itself not at all."""
        service, value = self.service, self.value or ""
        found = found_looked_up(service.asks, told)
        sentence = (service.found if found.outcome == "found" else service.missing)[language]
        said = {**codes, service.typed.saves: service.shown(value), **found.values}
        shown = {name: " ".join(readable(words).split()) for name, words in said.items()}
        return fit(sentence, shown, ROOM, whole=(service.typed.saves, *codes)).strip()

    def question(self, asker: Asker, codes: Mapping[str, str]) -> Question:
        """The same, to be asked again and answered by SMS."""
        service, value = self.service, self.value or ""
        known = {**codes, service.typed.saves: readable(service.shown(value))}
        # a brace that a citizen typed would be read as a gap later
        safe = {name: words.replace("{", "(").replace("}", ")") for name, words in known.items()}
        coming = {name: f"{{{name}}}" for name in service.brought}
        says = {"found": service.found, "missing": service.missing}
        return Question(
            office=service.asks.of,
            mode=Mode.LOOKUP,
            asked={"data": value},
            asker=asker,
            title=service.title(asker.language),
            institution=service.institution,
            sentences={
                outcome: _filled(spoken[asker.language], {**safe, **coming})
                for outcome, spoken in says.items()
            },
            names={theirs: ours for ours, theirs in service.asks.brings.items()},
        )


def handed(keyword: str, institution: str, text: str, asker: Asker, sent_at: datetime) -> Question:
    """A text that is handed to the institution whose keyword begins it."""
    sent = f"{sent_at.astimezone(EAT):%Y-%m-%d %H:%M:%S}"
    return Question(
        office=f"{KEYWORD_OFFICE}{keyword}",
        mode=Mode.KEYWORD,
        asked={"message": text, "sent_time": sent},
        asker=asker,
        title=institution.upper(),
        institution=institution,
    )


@dataclass(frozen=True, slots=True)
class Services:
    """The services by their names in the file that writes them."""

    by_name: Mapping[str, Service] = field(default_factory=dict)
    by_words: Mapping[str, Service] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = {word: one for one in self.by_name.values() for word in one.words}
        object.__setattr__(self, "by_words", words)

    def asked(self, command: Command) -> Request | None:
        """The service whose keyword begins the text, the longest keyword first."""
        given = fields(f"{command.word} {command.rest}")
        for count in (2, 1):
            service = self.by_words.get(" ".join(given[:count]).upper())
            if service is not None:
                return Request(service, service.value(given[count:]))
        return None


def _filled(sentence: str, values: Mapping[str, str]) -> str:
    return fill(sentence, {name: values.get(name, "") for name in gaps(sentence)})
