"""Knows network addresses: which networks they are of, and whose a request is behind proxies."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def within(address: str, networks: Collection[Network]) -> bool:
    """Whether it is of one of them; an unreadable one is of none."""
    read = _read(address)
    return read is not None and any(read in network for network in networks)


def client(peer: str, forwarded: str, proxies: Collection[Network]) -> str:
    """Who asks: the peer, or where that is a trusted proxy the rightmost address of
    X-Forwarded-For that is none. What stands further left anybody may have written. "" where that
    cannot be read."""
    chain = [peer, *reversed([one.strip() for one in forwarded.split(",") if one.strip()])]
    for spelt in chain:
        read = _read(_without_port(spelt))
        if read is None:
            return ""
        if not within(str(read), proxies):
            return str(read)
    return str(read)


def _without_port(spelt: str) -> str:
    if spelt.startswith("["):
        inside, bracket, _ = spelt[1:].partition("]")
        return inside if bracket else ""
    return spelt.partition(":")[0] if spelt.count(":") == 1 else spelt


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        read = ip_address(address)
    except ValueError:
        return None
    return getattr(read, "ipv4_mapped", None) or read
