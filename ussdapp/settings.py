"""Knows what differs between two machines: reads it, and refuses what is unsafe or misspelt."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from ussdapp.core.networks import Network
from ussdapp.core.quiet import BULK_HOURS, Hours

_KEY_OCTETS: Final = 32  # of seal_key and index_key
_TOKEN_DIGITS: Final = 32  # hex digits of a callback token: 128 bits
_MOST_BINDS: Final = 16
_DEAREST: Final = 100_000  # TZS a part
_MOST_TOKENS: Final = 2  # the one in force and the one that replaces it
_BUDGET: Final = range(80, 183)  # septets of a screen; a USSD string carries 182
_PREFIX: Final = re.compile("[0-9]{1,12}")
_CODE: Final = re.compile(r"\*[0-9*]{2,20}#")
_TABLES: Final = frozenset({"channels", "back_offices"})
_FIELDS: Final = frozenset(
    {"database_url", "redis_url", "seal_key", "index_key", "short_code", "service_code",
     "screen_budget", "ledger"}
)  # fmt: skip
_SWITCHES: Final = frozenset({"sandbox", "bulk_hours", "trusted_proxies"})


class SettingsRefused(ValueError):
    """The start is refused; the text is one sentence a setting."""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel as configured; `options` is what its kind understands, `callbacks` the kind
    whose dialect its HTTP callbacks speak."""

    name: str
    kind: str
    callbacks: str
    tokens: tuple[str, ...] = field(repr=False)
    routes: tuple[str, ...]
    options: Mapping[str, Any] = field(repr=False)
    binds: int = 1  # how many processes may hold one
    fallback: str = ""  # the channel that takes what this one does not deliver
    networks: tuple[str, ...] = ()  # as aggregators name those it reaches
    price_tzs: Decimal | None = None  # what a part costs, None where nobody told us


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
    back_offices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    bulk_hours: Hours = BULK_HOURS  # in Tanzania; bulk leaves between them alone
    trusted_proxies: tuple[Network, ...] = ()  # whose X-Forwarded-For is believed

    @property
    def prices(self) -> dict[str, Decimal]:
        """TZS a part, by channel, where it is known."""
        found = ((name, channel.price_tzs) for name, channel in self.channels.items())
        return {name: price for name, price in found if price is not None}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the file USSDAPP_SETTINGS and the environment; raises SettingsRefused."""
    given = _file(environ.get("USSDAPP_SETTINGS", ""))
    # tables and switches are for the file; addresses and secrets may come from the environment
    given |= {name: environ[name.upper()] for name in _FIELDS if environ.get(name.upper())}
    return _Reading(given).settings()


def secret(given: Mapping[str, Any], name: str) -> str:
    """A setting or the content of the file `<name>_file` names; "" when neither is given."""
    path = given.get(f"{name}_file")
    if path is None:
        return str(given.get(name, ""))
    try:
        return Path(str(path)).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as trouble:
        raise SettingsRefused(f"{name}_file cannot be read: {trouble}") from trouble


def _file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as trouble:
        raise SettingsRefused(f"USSDAPP_SETTINGS cannot be read: {trouble}") from trouble


class _Reading:
    """One reading under way: every trouble is collected, so that all are told at once."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        known = _FIELDS | _TABLES | _SWITCHES | {f"{name}_file" for name in _FIELDS}
        self._troubles = [f"{name} is no setting" for name in sorted(set(given) - known)]

    def settings(self) -> Settings:
        """What was read, if nothing is wrong with it."""
        seal_key, index_key = self._key("seal_key"), self._key("index_key")
        if seal_key == index_key and seal_key:
            self._troubles.append("seal_key and index_key are the same: make two")
        read = Settings(
            database_url=self._needed("database_url"),
            redis_url=self._needed("redis_url"),
            seal_key=seal_key,
            index_key=index_key,
            sandbox=self._given.get("sandbox") is True,
            short_code=str(self._given.get("short_code", "15200")),
            service_code=str(self._given.get("service_code", "*152*00#")),
            screen_budget=self._budget(),
            ledger=str(self._given.get("ledger", "")),
            bulk_hours=self._bulk_hours(),
            trusted_proxies=self._proxies(),
            channels={n: self._channel(n, o) for n, o in self._table("channels").items()},
            back_offices={n: _opened(o) for n, o in self._table("back_offices").items()},
        )
        tokens = [token for channel in read.channels.values() for token in channel.tokens]
        if len(set(tokens)) < len(tokens):
            self._troubles.append("two channels have the same token: each needs its own")
        if not (_CODE.fullmatch(read.service_code) and _PREFIX.fullmatch(read.short_code)):
            self._troubles.append("service_code is like *152*00# and short_code like 15200")
        if not read.channels:
            self._troubles.append("no channel is configured: add a [channels.<name>] table")
        if self._troubles:
            raise SettingsRefused("\n".join(self._troubles))
        return read

    def _table(self, name: str) -> dict[str, Mapping[str, Any]]:
        table = self._given.get(name, {})
        if isinstance(table, Mapping) and all(isinstance(one, Mapping) for one in table.values()):
            return dict(table)
        self._troubles.append(f"{name} must hold tables: [{name}.<name>]")
        return {}

    def _needed(self, name: str) -> str:
        value = secret(self._given, name)
        if not value:
            self._troubles.append(f"{name} is missing: set it in the file or as {name.upper()}")
        return value

    def _key(self, name: str) -> bytes:
        text = self._needed(name)
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        # a key of few different octets was typed, not drawn
        if text and (len(key) != _KEY_OCTETS or len(set(key)) < _KEY_OCTETS // 4):
            self._troubles.append(f"{name} must be {2 * _KEY_OCTETS} random hex digits")
        return key

    def _budget(self) -> int:
        given = str(self._given.get("screen_budget", 160))
        if given.isascii() and given.isdigit() and int(given) in _BUDGET:
            return int(given)
        least, most = _BUDGET[0], _BUDGET[-1]
        self._troubles.append(f"screen_budget must be from {least} to {most} septets")
        return most

    def _channel(self, name: str, given: Mapping[str, Any]) -> ChannelSettings:
        kind = str(given.get("kind", ""))
        return ChannelSettings(
            name=name,
            kind=kind,
            callbacks=str(given.get("callbacks", kind)),
            tokens=self._tokens(name, given),
            routes=self._routes(name, given),
            options=_opened(given),
            binds=self._binds(name, given.get("binds", 1)),
            fallback=self._fallback(name, str(given.get("fallback", ""))),
            networks=tuple(str(network) for network in given.get("networks", ())),
            price_tzs=self._price(name, given.get("price_tzs")),
        )

    def _price(self, name: str, given: object) -> Decimal | None:
        if given is None:
            return None
        if isinstance(given, int | float) and type(given) is not bool and 0 <= given < _DEAREST:
            return Decimal(str(given))
        self._troubles.append(f"channels.{name}: price_tzs is what a part costs, such as 12.5")
        return None

    def _binds(self, name: str, given: object) -> int:
        if type(given) is int and 0 < given <= _MOST_BINDS:
            return given
        self._troubles.append(f"channels.{name}: binds is a number from 1 to {_MOST_BINDS}")
        return 1

    def _fallback(self, name: str, given: str) -> str:
        if given and (given == name or given not in self._table("channels")):
            self._troubles.append(f"channels.{name}: fallback must be another channel")
        return given

    def _bulk_hours(self) -> Hours:
        given = self._given.get("bulk_hours", BULK_HOURS)
        given = given if isinstance(given, list | tuple) else ()
        if len(given) == 2 and all(type(hour) is int and 0 <= hour < 24 for hour in given):
            return (given[0], given[1])
        self._troubles.append("bulk_hours are two hours in Tanzania, such as [8, 20]")
        return BULK_HOURS

    def _proxies(self) -> tuple[Network, ...]:
        given = self._given.get("trusted_proxies", [])
        try:
            found = [ip_network(str(one)) for one in given] if isinstance(given, list) else None
        except ValueError:
            found = None
        # a network of everybody would let anybody say where they are
        if found is not None and all(one.prefixlen for one in found):
            return tuple(found)
        self._troubles.append('trusted_proxies are networks, such as ["10.0.0.5/32"]')
        return ()

    def _routes(self, name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
        routes = given.get("routes", [])
        if isinstance(routes, list) and all(_PREFIX.fullmatch(str(prefix)) for prefix in routes):
            return tuple(str(prefix) for prefix in routes)
        self._troubles.append(f'channels.{name}: routes are prefixes, such as ["25574", "25575"]')
        return ()

    def _tokens(self, name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
        tokens = tuple(str(token) for token in given.get("tokens", ()))
        if len(tokens) > _MOST_TOKENS:
            self._troubles.append(f"channels.{name}: at most {_MOST_TOKENS} tokens are in force")
        if any(len(token) < _TOKEN_DIGITS or len(set(token)) < 4 for token in tokens):
            self._troubles.append(f"channels.{name}: a token is {_TOKEN_DIGITS} random hex digits")
        return tokens


def _opened(given: Mapping[str, Any]) -> dict[str, Any]:
    """A table with what its `<name>_file` settings name read in."""
    files = (key.removesuffix("_file") for key in given if key.endswith("_file"))
    return {**given, **{name: secret(given, name) for name in files}}
