"""Whose a request is, whatever its headers claim."""

from ipaddress import ip_network

import pytest

from ussdapp.core.networks import client, within

PROXIES = tuple(ip_network(one) for one in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "whose"),
    [
        ("41.1.2.3", "", "41.1.2.3"),
        ("41.1.2.3", "10.1.1.1", "41.1.2.3"),
        ("10.0.0.1", "41.1.2.3", "41.1.2.3"),
        ("10.0.0.1", "8.8.8.8, 41.1.2.3", "41.1.2.3"),
        ("10.0.0.1", "8.8.8.8, 41.1.2.3, 10.0.0.2", "41.1.2.3"),
        ("10.0.0.1", "41.1.2.3:5060", "41.1.2.3"),
        ("fd00::1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:41.1.2.3", "41.1.2.3"),
        ("::ffff:10.0.0.1", "41.1.2.3", "41.1.2.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "41.1.2.3, unknown", ""),
        ("10.0.0.1", "41.1.2.3, [::1", ""),
        ("10.0.0.1", ", 41.1.2.3 ,,", "41.1.2.3"),
        ("", "41.1.2.3", ""),
    ],
    ids=[
        "nobody between", "a stranger who claims to be ours", "one proxy",
        "the client wrote one before", "two proxies", "with its port", "IPv6 with its port",
        "IPv6", "IPv4 in IPv6", "a proxy in IPv6", "the proxy itself", "all of them ours",
        "what cannot be read", "half an address", "gaps", "no peer",
    ],
)  # fmt: skip
def test_the_rightmost_address_that_is_no_proxy_asks(peer: str, forwarded: str, whose: str) -> None:
    assert client(peer, forwarded, PROXIES) == whose


def test_without_trusted_proxies_no_header_is_believed() -> None:
    assert client("10.0.0.1", "41.1.2.3", ()) == "10.0.0.1"


def test_an_unreadable_address_is_of_no_network() -> None:
    assert not within("", PROXIES)
    assert not within("10.0.0.300", PROXIES)
    assert within("10.255.0.1", PROXIES)
