"""Knows which URLs and addresses may be called: https, a plain host, an address of the internet.

The refusals are those of faults.md row 73; addresses follow the IANA special-purpose registries.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

MOST_URL: Final = 2048  # characters
_PORTS: Final = {"https": 443, "http": 80}
_LEAST_PORT: Final = 1024  # below are mail, names, shells: what no web server listens on
_PLAIN: Final = re.compile(r"[\x21-\x7e]+")  # no space, control or letter beyond ASCII
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# inet_aton reads these as an address: 2130706433, 0x7f.1, 0177.0.0.1, 127.1
_NUMERIC: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
# Names that lead inside by themselves, whatever a resolver says (RFC 6761, 6762, 8375, and ICANN's
# `internal`, under which clouds keep their metadata).
_INSIDE: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan",
     "arpa"}
)  # fmt: skip
_UNICAST6: Final = IPv6Network("2000::/3")
# Inside global unicast, yet special: protocol assignments with Teredo and ORCHID, documentation
# (two ranges), 6to4. What they carry may be a private address.
_SPECIAL6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# protocol assignments, 6to4 relays: Python's `is_global` differs from patch to patch
_SPECIAL4: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))

Address = IPv4Address | IPv6Address


class Forbidden(ValueError):
    """It may not be called. The sentence says why and does not quote it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart; `path` has the query with it, `host` is in lower case."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None = None

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str, schemes: tuple[str, ...] = ("https",)) -> Target:
    """Takes an absolute URL apart; raises Forbidden."""
    if not _PLAIN.fullmatch(url) or "\\" in url or len(url) > MOST_URL:
        raise Forbidden("a URL holds plain characters and is not endless")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise Forbidden("that is no URL") from None
    if parts.scheme not in schemes:
        raise Forbidden(f"the scheme must be {' or '.join(schemes)}")
    if "@" in parts.netloc or "%" in parts.netloc or parts.fragment or port == 0:
        raise Forbidden("a URL has a plain host and port, and no user or fragment")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    literal = _literal(host, bracketed="[" in parts.netloc)
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, literal)


def callable_url(url: str, *, allow_private: bool) -> Target:
    """The URL taken apart if it may be called as far as its spelling tells; raises Forbidden. With
    `allow_private` also http and the addresses of this machine and its network."""
    parsed = target(url, ("https", "http") if allow_private else ("https",))
    if parsed.literal:
        allowed(str(parsed.literal), allow_private=allow_private)
    return parsed if allow_private else _outside(parsed)


def _outside(to: Target) -> Target:
    """Raises Forbidden for a host within or a port that is not one of the web. Names in other
    scripts are refused in both spellings, for one is taken for another."""
    labels = to.host.split(".")
    inside = len(labels) < 2 or labels[-1] in _INSIDE
    if to.literal is None and (inside or any(one.startswith("xn--") for one in labels)):
        raise Forbidden("the host is no plain name of the internet")
    if to.port < _LEAST_PORT and to.port not in _PORTS.values():
        raise Forbidden("the port is not one of the web")
    return to


def _literal(host: str, *, bracketed: bool) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is not None:
        return address
    numeric = _NUMERIC.fullmatch(host.rpartition(".")[2])
    if bracketed or numeric or not _NAME.fullmatch(host) or len(host) > 253:
        raise Forbidden("the host is neither a name nor an address in its plain spelling")
    return None


def allowed(address: str, *, allow_private: bool) -> Address:
    """The address if it may be called; raises Forbidden. Private and loopback ones may be where
    `allow_private` says so, link-local and multicast ones nowhere."""
    try:
        known = ip_address(address)
    except ValueError:  # also an address with a zone, fe80::1%eth0
        raise Forbidden("the name resolves to no plain address") from None
    if _public(known) or (allow_private and _private(known)):
        return known
    raise Forbidden("the address is not one of the internet")


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _UNICAST6 and not any(address in net for net in _SPECIAL6)
    special = address.is_multicast or address.is_reserved
    return address.is_global and not special and not any(address in net for net in _SPECIAL4)


def _private(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return False
    odd = address.is_link_local or address.is_multicast or address.is_reserved
    return address.is_loopback or (address.is_private and not odd and not address.is_unspecified)
