"""Knows how one screen is written: a TOML table with every name known and none missing."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ussdapp.core.menu import (
    Choice,
    End,
    Input,
    Listing,
    Lookup,
    Option,
    Screen,
    Spoken,
    Words,
)
from ussdapp.core.texts import LANGUAGES


class Fault(ValueError):
    """One thing wrong with one table."""


def read_top(table: dict[str, Any]) -> tuple[str, Words, dict[str, str]]:
    """What `[menu]` says: the first screen, the shared sentences, the values. Raises Fault."""
    rest = dict(table_of(table))
    first = _text(rest, "first")
    values = {name: _string(name, text) for name, text in table_of(rest.pop("values", {})).items()}
    words = {name: read_spoken(table_of(_taken(rest, name))) for name in Words.__slots__}
    _nothing_left(rest)
    return first, Words(**words), values


def read_screen(file: str, table: dict[str, Any]) -> Screen:
    """The screen that a table of that file writes. Raises Fault."""
    kind = _text(table, "kind")
    if kind not in _KINDS:
        raise Fault(f"kind {kind!r} is not one of {', '.join(_KINDS)}")
    screen = _KINDS[kind](file, table)
    _nothing_left(table)
    return screen


def _choice(file: str, table: dict[str, Any]) -> Choice:
    options = _taken(table, "options")
    if not isinstance(options, list):
        raise Fault("options is no list")
    return Choice(
        says=_says(table),
        options=tuple(_option(file, dict(table_of(option))) for option in options),
        saves=_text(table, "saves", ""),
    )


def _option(file: str, table: dict[str, Any]) -> Option:
    option = Option(
        key=_text(table, "key"),
        says=_says(table),
        goto=full_name(file, _text(table, "goto")),
        value=_text(table, "value", ""),
        language=_text(table, "language", ""),
    )
    _nothing_left(table)
    return option


def _input(file: str, table: dict[str, Any]) -> Input:
    return Input(
        says=_says(table),
        wrong=read_spoken(table_of(_taken(table, "wrong"))),
        saves=_text(table, "saves"),
        goto=full_name(file, _text(table, "goto")),
        accepts=_text(table, "accepts", ""),
        least=_number(table, "least", 1),
        most=_number(table, "most", 182),
    )


def _list(file: str, table: dict[str, Any]) -> Listing:
    return Listing(
        says=_says(table),
        nothing=read_spoken(table_of(_taken(table, "nothing"))),
        of=_text(table, "of"),
        saves=_text(table, "saves"),
        goto=full_name(file, _text(table, "goto")),
    )


def _lookup(file: str, table: dict[str, Any]) -> Lookup:
    goto = table_of(_taken(table, "goto"))
    return Lookup(
        asks=_text(table, "asks"),
        goto={outcome: full_name(file, _string(outcome, name)) for outcome, name in goto.items()},
    )


def _end(_file: str, table: dict[str, Any]) -> End:
    return End(_says(table))


_KINDS: Final[Mapping[str, Callable[[str, dict[str, Any]], Screen]]] = {
    "choice": _choice,
    "input": _input,
    "list": _list,
    "lookup": _lookup,
    "end": _end,
}


def full_name(file: str, name: str) -> str:
    """A screen's name in the whole menu."""
    return name if "." in name else f"{file}.{name}"


def _says(table: dict[str, Any]) -> Spoken:
    return {language: _text(table, language) for language in LANGUAGES}


def read_spoken(table: Mapping[str, Any]) -> Spoken:
    """One sentence in every language. Raises Fault."""
    rest = dict(table)
    says = _says(rest)
    _nothing_left(rest)
    return says


def _taken(table: dict[str, Any], name: str) -> Any:
    if name not in table:
        raise Fault(f"{name} is missing")
    return table.pop(name)


def _text(table: dict[str, Any], name: str, default: str | None = None) -> str:
    if default is not None and name not in table:
        return default
    return _string(name, _taken(table, name))


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Fault(f"{name} is no text")
    return value


def _number(table: dict[str, Any], name: str, default: int) -> int:
    value = table.pop(name, default)
    if type(value) is not int:
        raise Fault(f"{name} is no whole number")
    return value


def table_of(value: Any) -> Mapping[str, Any]:
    """The value, if it is a table. Raises Fault."""
    if not isinstance(value, dict):
        raise Fault("a table is expected here")
    return value


def _nothing_left(table: Mapping[str, Any]) -> None:
    if table:
        raise Fault(f"nobody knows what {', '.join(sorted(table))} is")
