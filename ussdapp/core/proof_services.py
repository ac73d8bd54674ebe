"""Knows what must be true of the services asked for by SMS before any of them is served."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.keywords import WORDS, read
from ussdapp.core.kinds import KINDS
from ussdapp.core.patterns import LONGEST, pattern_fault
from ussdapp.core.screen_text import LEAST, bare, gaps, likeness, width
from ussdapp.core.screens import Spoken
from ussdapp.core.services import CODES, ROOM, Service, Services
from ussdapp.core.texts import LANGUAGES

MOST_TITLE: Final = 40  # septets of what a service is called in sentences that all share
_WORDS: Final = re.compile(r"[A-Z][A-Z0-9-]*( [A-Z][A-Z0-9-]*)?")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_BRACE: Final = re.compile(r"[{}]")
_LONGEST_EXAMPLE: Final = 6  # fields


def faults(services: Services, offices: Collection[str] | None = None) -> list[str]:
    """Everything wrong with them, each a sentence that names its service; `offices` are those
    that may be asked, None for any."""
    told = list(_alike(services))
    for name, service in services.by_name.items():
        told += [f"[{name}]: {fault}" for fault in _faults(service, services, offices)]
    return told or list(_without_example(services))  # which are tried on sound services only


def _alike(services: Services) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, service in services.by_name.items():
        for word in service.words:
            if word in owners:
                before = f"stands twice, in [{owners[word]}] before"
                yield f"[{name}]: the keyword {word!r} {before}: take one of them out"
            owners.setdefault(word, name)


def _faults(service: Service, services: Services, offices: Collection[str] | None) -> Iterator[str]:
    yield from _keywords(service, services)
    if offices is not None and service.asks.of not in offices:
        yield f"there is no office {service.asks.of!r}: name one that the gateway is set up with"
    unkind = list(_values(service))
    yield from unkind
    yield from _names(service)
    yield from _sentences(service)
    if not unkind:
        yield from _widths(service)


# -- keywords and values


def _keywords(service: Service, services: Services) -> Iterator[str]:
    if not service.words:
        yield "words has no keyword: write at least one"
    for word in service.words:
        first, _, second = word.partition(" ")
        if not _WORDS.fullmatch(word):
            yield f"the keyword {word!r} is not one or two words in capitals, a letter first"
        elif first in WORDS:
            kept = f"begins with {first}, which the gateway keeps for itself"
            yield f"the keyword {word!r} {kept}: begin it with another word"
        elif second and _is_value_of_another(service, services.by_words.get(first), second):
            also = f"may also be {first} with the value {second}"
            yield f"the keyword {word!r} {also}: take another word for one of the two"


def _is_value_of_another(service: Service, other: Service | None, word: str) -> bool:
    if other is None or other is service or list(_values(other)):
        return False
    return other.value([word]) is not None


def _values(service: Service) -> Iterator[str]:
    typed = service.typed
    ways = (bool(typed.takes), bool(typed.accepts), bool(service.values))
    if sum(ways) != 1:
        yield "one of takes, accepts and values says what it takes"
    if typed.takes and typed.takes not in KINDS:
        yield f"takes {typed.takes!r} is not one of {', '.join(KINDS)}"
    if typed.accepts and (fault := pattern_fault(typed.accepts)):
        yield fault
    if not 1 <= typed.least <= typed.most <= LONGEST:
        yield f"a value has 1 to {LONGEST} characters, and least is not above most"
    for value in service.values:
        if value != " ".join(value.upper().split()):
            yield f"values: {value!r} is not in capitals: write {' '.join(value.upper().split())!r}"


def _names(service: Service) -> Iterator[str]:
    names = (service.typed.saves, *service.asks.brings)
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{name!r} is no name: a-z, 0-9 and _ only, a letter first"
        elif name in CODES:
            yield f"{name!r} is one of the gateway's own codes: choose another name"
    if service.typed.saves in service.brought:
        yield f"{service.typed.saves!r} is both saved and brought: give one of them another name"


# -- sentences


def _spoken(service: Service) -> Iterator[tuple[str, Spoken, Collection[str]]]:
    """Each sentence of a service with the names that it may show."""
    own = {service.typed.saves, *CODES}
    yield "found", service.found, own | service.brought
    yield "missing", service.missing, own
    yield "wrong", service.typed.wrong, CODES
    yield "title", service.asks.title or {}, ()


def _sentences(service: Service) -> Iterator[str]:
    for part, spoken, known in _spoken(service):
        for language, sentence in spoken.items():
            place = f"{part} {language}"
            for stranger in gsm7.strangers(sentence):
                yield f"{place}: {_instead(stranger)}"
            if _BRACE.search(bare(sentence)):
                yield f"{place}: a brace that is no {{name}}: take it out"
            for name in sorted(gaps(sentence) - set(known)):
                may = ", ".join(sorted(known)) or "no name"
                yield f"{place}: shows {{{name}}}, which it cannot: it may show {may}"


def _instead(stranger: str) -> str:
    seen = stranger if stranger.isprintable() else f"U+{ord(stranger):04X}"
    alike = likeness(stranger)
    return f"no handset shows {seen}, {f'write {alike!r}' if alike else 'leave it out'}"


def _widths(service: Service) -> Iterator[str]:
    widest = {service.typed.saves: _widest(service)}
    for part, spoken, _ in _spoken(service):
        room = MOST_TITLE if part == "title" else ROOM
        for language, sentence in spoken.items():
            shown = (
                sentence.count(f"{{{name}}}") * widest.get(name, LEAST) for name in gaps(sentence)
            )
            taken = width(bare(sentence)) + sum(shown)
            if taken > room:
                more = f"{taken - room} more than {room}: write less"
                yield f"{part} {language}: takes {taken} septets, {more}"


def _widest(service: Service) -> int:
    """Septets of the widest value as it is shown."""
    if service.values:
        return max(width(value) for value in service.values.values())
    if service.typed.takes:
        return KINDS[service.typed.takes].widest
    return 2 * service.typed.most  # every character may be an escape


def _without_example(services: Services) -> Iterator[str]:
    for name, service in services.by_name.items():
        for language in LANGUAGES:
            runs = _runs(service.typed.wrong[language])
            if not any(_works(service, services, text) for text in runs):
                yield (
                    f"[{name}]: wrong {language}: gives no example that this service takes: end it "
                    f"with one, such as {service.words[0]} and a value"
                )


def _runs(sentence: str) -> Iterable[str]:
    words = sentence.split()
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST_EXAMPLE, len(words)) + 1):
            yield " ".join(words[start:end])


def _works(service: Service, services: Services, text: str) -> bool:
    request = services.asked(read(text))
    return request is not None and request.service is service and request.value is not None
