"""Knows how a bind is configured: reads what a settings file says, and refuses what is wrong."""

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ussdapp.wire.bodies import Login

Options = Mapping[str, object]


def read(options: Options, name: str, kind: type, default: object = None) -> Any:
    """The option, of exactly that type (an int will do for a float); raises ValueError."""
    value = options.get(name, default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{name} is missing or no {kind.__name__}")
    return value


def flag(options: Options, name: str) -> bool:
    """A yes or no, no unless given; raises ValueError."""
    return name in options and bool(read(options, name, bool))


def positive(options: Options, name: str, default: float) -> float:
    """A number of more than 0; raises ValueError."""
    value = float(read(options, name, float, float(default)))
    if not value > 0:
        raise ValueError(f"{name} must be more than 0")
    return value


def within(options: Options, name: str, default: int, bounds: tuple[int, int]) -> int:
    """A whole number between two, both of them allowed; raises ValueError."""
    value = int(read(options, name, int, default))
    if not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"{name} is {bounds[0]} to {bounds[1]}")
    return value


def one_of(options: Options, name: str, words: Sequence[str]) -> str:
    """One of those words, the first unless given; raises ValueError."""
    value = str(read(options, name, str, words[0]))
    if value not in words:
        raise ValueError(f"{name} is one of {', '.join(words)}")
    return value


def read_login(options: Options) -> Login:
    """Who binds where: host, port, system_id, password or password_file, bind_type, system_type.
    Raises ValueError."""
    return Login(
        host=read(options, "host", str),
        port=read(options, "port", int, 2775),
        system_id=read(options, "system_id", str),
        password=_password(options),
        bind_type=read(options, "bind_type", str, "transceiver"),
        system_type=read(options, "system_type", str, ""),
    )


def read_tls(options: Options) -> ssl.SSLContext | None:
    """With `tls`, a context that checks the certificate against `ca_file` or the system's;
    raises ValueError."""
    if not flag(options, "tls"):
        return None
    try:
        return ssl.create_default_context(cafile=read(options, "ca_file", str, "") or None)
    except OSError:
        raise ValueError("ca_file cannot be read") from None


def _password(options: Options) -> str:
    if "password" in options:
        return str(read(options, "password", str))
    path = Path(read(options, "password_file", str))
    try:
        return path.read_text("utf-8").strip("\r\n")
    except OSError:
        raise ValueError("password_file cannot be read") from None
