"""Knows how to call a URL that somebody else configured, without being turned against ourselves.

A name is resolved once, every address it has is checked, and the connection goes to a checked one
with Host and SNI kept, so that a second look at the name cannot lead elsewhere. No redirect is
followed, no proxy of the environment used, nothing compressed taken, and one deadline holds for
resolving, connecting, writing and reading together. Each call has a connection of its own: on a
kept one the far end may hang up just as we write, which for a summary would be a doubt.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from ussdapp.wire.addresses import Forbidden, Target, allowed, target
from ussdapp.wire.http import NoAnswer, NotReached, WireAnswer
from ussdapp.wire.timed import Deadline, TimedSocket, TooSlow, within

MOST_BODY: Final = 1 << 16  # octets of an answer that are read
Resolve = Callable[[str, int], Sequence[str]]


def addresses(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as this machine's resolver knows it; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request; `body` is sent as it is, and with a GET there is none."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class GuardedClient:
    """Calls what may be called. With `allow_private`, in the sandbox alone, also http and the
    addresses of this machine and its network."""

    allow_private: bool = False
    resolve: Resolve = addresses
    clock: Callable[[], float] = time.monotonic
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def parsed(self, url: str) -> Target:
        """The URL taken apart; raises Forbidden for one that may never be called."""
        parsed = target(url, ("https", "http") if self.allow_private else ("https",))
        if parsed.literal:
            allowed(str(parsed.literal), allow_private=self.allow_private)
        return parsed

    def exchange(self, call: Call, seconds: float) -> WireAnswer:
        """The answer, whatever its status. Raises Forbidden and NotReached where nothing was
        asked, NoAnswer, and of its kind TooSlow, where something was."""
        deadline = Deadline(seconds, self.clock)
        to = self.parsed(call.url)
        try:
            wire = self._connected(to, deadline)
        except (OSError, TooSlow):
            raise NotReached("no connection was made") from None
        try:
            return _asked(wire, to, call)
        except (OSError, http.client.HTTPException, ValueError):
            # their texts are not kept: they may hold what was sent
            raise NoAnswer("no whole answer came") from None
        finally:
            wire.hang_up()

    def _connected(self, to: Target, deadline: Deadline) -> TimedSocket:
        wire = self._reached(to, self._checked(to, deadline), deadline)
        if to.scheme == "https":
            try:
                wire.settimeout(deadline.left())
                wire = self.tls.wrap_socket(wire, server_hostname=to.host)
            except (OSError, TooSlow):
                wire.close()
                raise
        return TimedSocket(wire, deadline, MOST_BODY)

    def _checked(self, to: Target, deadline: Deadline) -> list[str]:
        """All addresses, or none when one of them may not be called."""
        if to.literal:
            return [str(to.literal)]
        found = within(deadline, lambda: self.resolve(to.host, to.port))
        return [str(allowed(one, allow_private=self.allow_private)) for one in found]

    def _reached(self, to: Target, found: Sequence[str], deadline: Deadline) -> socket.socket:
        for address in found[:-1]:
            try:
                # an address that only swallows packets leaves time for the next
                return socket.create_connection((address, to.port), deadline.left() / 2)
            except OSError:
                continue
        if not found:
            raise NotReached("the name has no address")
        return socket.create_connection((found[-1], to.port), deadline.left())


def _asked(wire: TimedSocket, to: Target, call: Call) -> WireAnswer:
    connection = http.client.HTTPConnection(to.host, to.port)
    connection.sock = cast("socket.socket", wire)
    own = {"Host": to.authority, "Accept-Encoding": "identity", "Connection": "close"}
    body = call.body if call.method != "GET" else None
    connection.request(call.method, to.path, body, {**call.headers, **own})
    with connection.getresponse() as response:
        named = {name.lower(): value for name, value in response.getheaders()}
        if named.get("content-encoding", "identity").lower() != "identity":
            raise NoAnswer("the answer is compressed, which was not asked for")
        return WireAnswer(response.status, named, _body(response))


def _body(response: http.client.HTTPResponse) -> bytes:
    body = response.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise NoAnswer("the answer is too long to be one")
    if response.length:
        raise NoAnswer("the answer was cut short")
    return body


__all__ = ["Call", "Forbidden", "GuardedClient", "NoAnswer", "NotReached", "TooSlow", "addresses"]
