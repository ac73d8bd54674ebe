"""Knows how the services asked for by SMS are written: one TOML file, proven before it is served.

What its tables hold stands at the head of the file that ships.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from ussdapp.core import branches
from ussdapp.core.asks import LOOK_UP
from ussdapp.core.proof_services import faults
from ussdapp.core.screens import Input, Lookup, Spoken
from ussdapp.core.services import Service, Services
from ussdapp.stores.menu_files import MenuRefused, parsed, read_owners
from ussdapp.stores.menu_tables import Fault, read_screen, read_spoken, table_of

KEYWORDS: Final = branches.KEYWORDS
_TYPED: Final = ("takes", "accepts", "least", "most", "saves", "wrong")
_ASKED: Final = ("of", "title", "brings")
_UNSAID: Final = {"sw": "-", "en": "-", "goto": "-"}  # of an input screen, which this is not


def read_services(path: Path, offices: Collection[str] | None = None) -> Services:
    """The services of a file, proven, each its institution's as the file beside it says;
    `offices` are those that may be asked, None for any. Raises MenuRefused, OSError."""
    sentences: list[str] = []
    read: dict[str, Service] = {}
    owners = read_owners(path.parent)
    for name, table in parsed(path, path.name).items():
        try:
            read[name] = _service(dict(table_of(table)), owners)
        except Fault as fault:
            sentences.append(f"[{name}]: {fault}")
    services = Services(read)
    if sentences := sentences or faults(services, offices):
        raise MenuRefused([f"{path.name} {sentence}" for sentence in sentences])
    return services


def check_services(path: Path, offices: Collection[str] | None = None) -> list[str]:
    """Everything wrong with such a file; an empty list when it may be served."""
    try:
        read_services(path, offices)
    except MenuRefused as refused:
        return refused.sentences
    except OSError as trouble:
        return [f"{trouble.filename}: {trouble.strerror}"]
    return []


def _service(table: dict[str, Any], owners: Mapping[str, str]) -> Service:
    """What one table writes: its value as an input screen has it, its office as a look-up."""
    words = table.pop("words", None)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Fault("words is no list of texts")
    typed = read_screen("", {"kind": "input", **_UNSAID, **_taken(table, _TYPED)})
    asked = {"kind": "lookup", "asks": LOOK_UP, "goto": {}, **_taken(table, _ASKED)}
    asks = read_screen("", asked)
    assert isinstance(typed, Input)
    assert isinstance(asks, Lookup)
    if not asks.of or asks.title is None:
        raise Fault(f"{'title' if asks.of else 'of'} is missing")
    values = _values(table_of(table.pop("values", {})))
    found, missing = _sentence(table, "found"), _sentence(table, "missing")
    if table:
        raise Fault(f"nobody knows what {', '.join(sorted(table))} is")
    institution = branches.owner_of(asks.of.partition(".")[0], owners)
    return Service(tuple(words), typed, asks, found, missing, institution, values)


def _taken(table: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: table.pop(name) for name in names if name in table}


def _values(table: Mapping[str, Any]) -> dict[str, str]:
    for typed, sent in table.items():
        if not isinstance(sent, str):
            raise Fault(f"values {typed} is no text")
    return dict(table)


def _sentence(table: dict[str, Any], name: str) -> Spoken:
    if name not in table:
        raise Fault(f"{name} is missing")
    try:
        return read_spoken(table_of(table.pop(name)))
    except Fault as fault:
        raise Fault(f"{name}: {fault}") from None
