"""Knows how one screen is written: a TOML table with every name known and none missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ussdapp.core.menu import Item, Words
from ussdapp.core.screens import (
    Choice,
    Confirm,
    End,
    External,
    Input,
    Listing,
    Lookup,
    Option,
    Screen,
    Spoken,
    Text,
)
from ussdapp.core.texts import LANGUAGES

_LIST: Final = "list"


class Fault(ValueError):
    """One thing wrong with one table."""


@dataclass(frozen=True, slots=True)
class Top:
    """What `[menu]` says."""

    first: str
    words: Words
    values: Mapping[str, str]
    returns: frozenset[str]


def read_top(table: Any) -> Top:
    """What `[menu]` says: the first screen, shared sentences, values. Raises Fault."""
    rest = dict(table_of(table))
    first = _text(rest, "first")
    values = {name: _string(name, text) for name, text in table_of(rest.pop("values", {})).items()}
    returns = frozenset(_texts(rest, "returns", ()))
    words = {name: _spoken(rest, name) for name in Words.__slots__}
    _nothing_left(rest)
    return Top(first, Words(**words), values, returns)


def read_items(table: Any) -> tuple[Item, ...]:
    """The items of one list, as they are written. Raises Fault."""
    return tuple(_item(key, dict(table_of(item))) for key, item in table_of(table).items())


def _item(key: str, table: dict[str, Any]) -> Item:
    if key != key.lower():
        raise Fault(f"the key {key!r} is not in lower case")
    item = Item(key, _says(table), _text(table, "under", ""), coded=False)
    _nothing_left(table)
    return item


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
        options=tuple(
            _option(file, dict(table_of(option)), number)
            for number, option in enumerate(options, 1)
        ),
        saves=_text(table, "saves", ""),
    )


def _option(file: str, table: dict[str, Any], number: int) -> Option:
    try:
        option = Option(
            key=_text(table, "key"),
            says=_says(table),
            goto=_goto(file, table),
            value=_text(table, "value", ""),
            language=_text(table, "language", ""),
            private=_flag(table, "private"),
        )
        _nothing_left(table)
    except Fault as fault:
        raise Fault(f"option {number}: {fault}") from None
    return option


def _confirm(file: str, table: dict[str, Any]) -> Confirm:
    return Confirm(
        says=_says(table),
        goto=_goto(file, table),
        cancel=full_name(file, _text(table, "cancel")),
        yes=_spoken_if(table, "yes"),
        no=_spoken_if(table, "no"),
    )


def _input(file: str, table: dict[str, Any]) -> Input:
    named = "takes" in table
    if named and (odd := sorted({"accepts", "least", "most"} & table.keys())):
        raise Fault(f"with takes there is no {', '.join(odd)}")
    return Input(
        says=_says(table),
        wrong=_spoken(table, "wrong"),
        saves=_text(table, "saves"),
        goto=_goto(file, table),
        takes=_text(table, "takes", ""),
        accepts=_text(table, "accepts", ""),
        least=_number(table, "least", 1),
        most=_number(table, "most", 182),
        past=_flag(table, "past"),
        future=_flag(table, "future"),
    )


def _list(file: str, table: dict[str, Any]) -> Listing:
    return Listing(
        says=_says(table),
        nothing=_spoken(table, "nothing"),
        of=_text(table, "of"),
        saves=_text(table, "saves"),
        goto=_goto(file, table),
        where=_text(table, "where", ""),
    )


def _lookup(file: str, table: dict[str, Any]) -> Lookup:
    return Lookup(
        asks=_text(table, "asks"),
        goto=_gotos(file, table),
        of=_text(table, "of", ""),
        sends=_texts(table, "sends", ()),
        brings=_strings(table, "brings"),
        title=_spoken_if(table, "title"),
    )


def _shown_text(file: str, table: dict[str, Any]) -> Text:
    goto = _text(table, "goto", "")
    if not goto and "next" in table:
        raise Fault("next is only for a text with a goto")
    return Text(_says(table), full_name(file, goto) if goto else "", _spoken_if(table, "next"))


def _end(_file: str, table: dict[str, Any]) -> End:
    return End(_says(table))


def _external(file: str, table: dict[str, Any]) -> External:
    return External(
        of=_text(table, "of"), goto=_gotos(file, table), brings=_texts(table, "brings", ())
    )


_KINDS: Final[Mapping[str, Callable[[str, dict[str, Any]], Screen]]] = {
    "choice": _choice,
    _LIST: _list,
    "input": _input,
    "confirm": _confirm,
    "lookup": _lookup,
    "text": _shown_text,
    "end": _end,
    "external": _external,
}


def full_name(file: str, name: str) -> str:
    """A screen's name in the whole menu."""
    return name if "." in name else f"{file}.{name}"


def _says(table: dict[str, Any]) -> Spoken:
    says = {language: _text(table, language) for language in LANGUAGES}
    if empty := [language for language, sentence in says.items() if not sentence.strip()]:
        raise Fault(f"{empty[0]} says nothing")
    return says


def read_spoken(table: Mapping[str, Any]) -> Spoken:
    """One sentence in every language. Raises Fault."""
    rest = dict(table)
    says = _says(rest)
    _nothing_left(rest)
    return says


def _spoken(table: dict[str, Any], name: str) -> Spoken:
    value = _taken(table, name)
    try:
        return read_spoken(table_of(value))
    except Fault as fault:
        raise Fault(f"{name}: {fault}") from None


def _spoken_if(table: dict[str, Any], name: str) -> Spoken | None:
    return _spoken(table, name) if name in table else None


def _goto(file: str, table: dict[str, Any]) -> str:
    return full_name(file, _text(table, "goto"))


def _gotos(file: str, table: dict[str, Any]) -> dict[str, str]:
    goto = _strings(table, "goto", needed="goto")
    return {outcome: full_name(file, name) for outcome, name in goto.items()}


def _strings(table: dict[str, Any], name: str, needed: str = "") -> dict[str, str]:
    value = _taken(table, needed) if needed else table.pop(name, {})
    if not isinstance(value, dict):
        raise Fault(f"{name} is no table")
    return {key: _string(f"{name} {key}", text) for key, text in value.items()}


def _texts(table: dict[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """One text or a list of them."""
    value = table.pop(name, None)
    if value is None:
        return default
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise Fault(f"{name} is neither a text nor a list of texts")
    return tuple(_string(name, text) for text in value)


def _flag(table: dict[str, Any], name: str) -> bool:
    value = table.pop(name, False)
    if not isinstance(value, bool):
        raise Fault(f"{name} is neither true nor false")
    return value


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
