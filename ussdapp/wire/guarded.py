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
from typing import Final, TypeVar, cast

from ussdapp.wire.addresses import Forbidden, Target, allowed, callable_url
from ussdapp.wire.http import NoAnswer, NotReached, WireAnswer
from ussdapp.wire.timed import Deadline, TimedSocket, TooSlow, within

MOST_BODY: Final = 1 << 16  # octets of an answer that are read
Resolve = Callable[[str, int], Sequence[str]]
T = TypeVar("T")


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
        return callable_url(url, allow_private=self.allow_private)

    def exchange(self, call: Call, seconds: float) -> WireAnswer:
        """The answer, whatever its status. Raises Forbidden and NotReached where nothing was
        asked, NoAnswer, and of its kind TooSlow, where something was."""
        return self._exchanged(call, seconds, _whole)

    def told(self, call: Call, seconds: float) -> tuple[int, Mapping[str, str]]:
        """The answer's status and headers, named in lower case; its body is not waited for. Raises
        as `exchange`."""
        return self._exchanged(call, seconds, lambda answer: (answer.status, _named(answer)))

    def _exchanged(
        self, call: Call, seconds: float, read: Callable[[http.client.HTTPResponse], T]
    ) -> T:
        deadline = Deadline(seconds, self.clock)
        to = self.parsed(call.url)
        try:
            wire = self._connected(to, deadline)
        except (OSError, TooSlow):
            raise NotReached("no connection was made") from None
        try:
            with _asked(wire, to, call) as answer:
                return read(answer)
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


def _asked(wire: TimedSocket, to: Target, call: Call) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(to.host, to.port)
    connection.sock = cast("socket.socket", wire)
    own = {"Host": to.authority, "Accept-Encoding": "identity", "Connection": "close"}
    body = call.body if call.method != "GET" else None
    connection.request(call.method, to.path, body, {**call.headers, **own})
    return connection.getresponse()


def _named(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


def _whole(answer: http.client.HTTPResponse) -> WireAnswer:
    named = _named(answer)
    if named.get("content-encoding", "identity").lower() != "identity":
        raise NoAnswer("the answer is compressed, which was not asked for")
    return WireAnswer(answer.status, named, _body(answer))


def _body(response: http.client.HTTPResponse) -> bytes:
    body = response.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise NoAnswer("the answer is too long to be one")
    if response.length:
        raise NoAnswer("the answer was cut short")
    return body


__all__ = ["Call", "Forbidden", "GuardedClient", "NoAnswer", "NotReached", "TooSlow", "addresses"]
