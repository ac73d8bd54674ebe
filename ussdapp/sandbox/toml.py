"""TOML as it is written: tomllib reads it and Python writes none."""

import json
import re
from collections.abc import Mapping
from typing import Any

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Table = Mapping[str, Any]


def toml_text(table: Table) -> str:
    """The document of a table of str, int, float, bool, lists and tables; TypeError for anything
    else."""
    return "".join(_lines(table, ()))


def merged(under: Table, over: Table) -> dict[str, Any]:
    """Both tables in one; where both have a value `over` wins, and where both have a table they are
    merged."""
    both = dict(under)
    for name, value in over.items():
        old = both.get(name)
        both[name] = (
            merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return both


def _lines(table: Table, path: tuple[str, ...]) -> list[str]:
    plain = {name: value for name, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"\n[{'.'.join(map(_key, path))}]\n"] if path else []
    lines += [f"{_key(name)} = {_value(value)}\n" for name, value in plain.items()]
    for name, value in table.items():
        if isinstance(value, Mapping):
            lines += _lines(value, (*path, name))
    return lines


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            pairs = (f"{_key(name)} = {_value(inner)}" for name, inner in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            raise TypeError(f"TOML is not written for {type(value).__name__}")


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped (toml.io, v1.0.0,
    # String).
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
