"""Knows what differs between two machines: reads it, and refuses what is unsafe."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

KINDS: Final = ("smpp", "africastalking")
_KEY_LENGTH: Final = 32  # octets of seal_key and index_key
_TOKEN_LENGTH: Final = 32  # hex digits of a callback token: 128 bits
_GATEWAY: Final = {
    "database_url", "redis_url", "seal_key", "index_key", "sandbox", "short_code",
    "service_code", "screen_budget", "ledger", "channels",
}  # fmt: skip


class SettingsRefused(ValueError):
    """The start is refused; the text is one sentence a setting."""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel as configured; `options` is what its kind understands."""

    name: str
    kind: str
    callbacks: str
    tokens: tuple[str, ...]
    routes: tuple[str, ...]
    options: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. Secrets are kept out of `repr`."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    seal_key: bytes = field(repr=False)
    index_key: bytes = field(repr=False)
    sandbox: bool
    short_code: str
    service_code: str
    screen_budget: int
    ledger: str
    channels: Mapping[str, ChannelSettings]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the file USSDAPP_SETTINGS and the environment; raises SettingsRefused."""
    given = _file(environ.get("USSDAPP_SETTINGS", ""))
    unknown = sorted(set(given) - {*_GATEWAY, *(f"{key}_file" for key in _GATEWAY)})
    troubles = [f"setting {name!r} is not known: check its spelling" for name in unknown]
    given |= {key: environ[key.upper()] for key in _GATEWAY if key.upper() in environ}
    settings = _settings(given, troubles)
    if troubles or settings is None:
        raise SettingsRefused("\n".join(troubles))
    return settings


def _file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as trouble:
        raise SettingsRefused(f"USSDAPP_SETTINGS cannot be read: {trouble}") from trouble


def _settings(given: Mapping[str, Any], troubles: list[str]) -> Settings | None:
    keys = [_key(given, name, troubles) for name in ("seal_key", "index_key")]
    urls = [_needed(given, name, troubles) for name in ("database_url", "redis_url")]
    channels = {
        name: _channel(name, options, troubles)
        for name, options in dict(given.get("channels", {})).items()
    }
    if not channels:
        troubles.append("no channel is configured: add a [channels.<name>] table")
    if keys[0] == keys[1] and keys[0]:
        troubles.append("seal_key and index_key are the same: make two")
    return (
        None
        if troubles
        else Settings(
            database_url=urls[0],
            redis_url=urls[1],
            seal_key=keys[0],
            index_key=keys[1],
            sandbox=given.get("sandbox") is True,
            short_code=str(given.get("short_code", "15200")),
            service_code=str(given.get("service_code", "*152*00#")),
            screen_budget=int(given.get("screen_budget", 160)),
            ledger=str(given.get("ledger", "")),
            channels=channels,
        )
    )


def secret(given: Mapping[str, Any], name: str) -> str:
    """A setting or the content of the file `<name>_file` names; "" when neither is given."""
    path = given.get(f"{name}_file")
    if path is None:
        return str(given.get(name, ""))
    try:
        return Path(str(path)).read_text("utf-8").strip()
    except OSError as trouble:
        raise SettingsRefused(f"{name}_file cannot be read: {trouble}") from trouble


def _needed(given: Mapping[str, Any], name: str, troubles: list[str]) -> str:
    value = secret(given, name)
    if not value:
        troubles.append(f"{name} is missing: set it in the file or as {name.upper()}")
    return value


def _key(given: Mapping[str, Any], name: str, troubles: list[str]) -> bytes:
    text = _needed(given, name, troubles)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if text and (len(key) != _KEY_LENGTH or len(set(key)) < _KEY_LENGTH // 4):
        troubles.append(f"{name} must be {2 * _KEY_LENGTH} random hex digits")
    return key


def _channel(name: str, given: Mapping[str, Any], troubles: list[str]) -> ChannelSettings:
    kind = str(given.get("kind", ""))
    if kind not in KINDS:
        troubles.append(f"channels.{name}: kind must be one of {', '.join(KINDS)}")
    tokens = tuple(str(token) for token in given.get("tokens", ()))
    if any(len(token) < _TOKEN_LENGTH for token in tokens):
        troubles.append(f"channels.{name}: a token needs {_TOKEN_LENGTH} random hex digits")
    return ChannelSettings(
        name=name,
        kind=kind,
        callbacks=str(given.get("callbacks", kind)),
        tokens=tokens,
        routes=tuple(str(prefix) for prefix in given.get("routes", ())),
        options={**given, **_secrets(given)},
    )


def _secrets(given: Mapping[str, Any]) -> dict[str, str]:
    names = (key.removesuffix("_file") for key in given if key.endswith("_file"))
    return {name: secret(given, name) for name in names}
