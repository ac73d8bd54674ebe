"""Knows how to talk over a socket by one deadline for everything, however slowly octets drip."""

import io
import socket
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from ussdapp.wire.http import NoAnswer, NotReached

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
_MOST_HEAD: Final = 1 << 14  # octets before the body


class TooSlow(NoAnswer):
    """The deadline passed: the answer may still come, and nobody will hear it."""


class Deadline:
    """Seconds that are left until an end; `clock` is monotonic."""

    def __init__(self, within: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + within

    def left(self) -> float:
        """More than nothing; raises TooSlow."""
        left = self._end - self._clock()
        if left <= 0:
            raise TooSlow("the deadline passed")
        return left


def within(deadline: Deadline, work: Callable[[], T]) -> T:
    """What `work` returns, or NotReached at the deadline: for calls that take no time limit of
    their own, such as getaddrinfo. An abandoned one ends in its own time."""
    done: list[T] = []
    troubles: list[OSError] = []

    def run() -> None:
        try:
            done.append(work())
        except OSError as trouble:
            troubles.append(trouble)

    runner = threading.Thread(target=run, daemon=True)
    runner.start()
    runner.join(deadline.left())
    if not done:
        raise NotReached("the name was not resolved") from None
    return done[0]


class TimedSocket:
    """As much of a socket as http.client uses. Raises TooSlow at the deadline, and NoAnswer when
    more than `most` octets and a head come in."""

    def __init__(self, wire: socket.socket | ssl.SSLSocket, deadline: Deadline, most: int) -> None:
        self._wire = wire
        self._deadline = deadline
        self._room = most + _MOST_HEAD

    def sendall(self, octets: bytes) -> None:
        """Writes all of it."""
        rest = memoryview(octets)
        while rest:
            self._wire.settimeout(self._deadline.left())
            try:
                rest = rest[self._wire.send(rest) :]
            except TimeoutError:
                raise TooSlow("the deadline passed") from None

    def recv_into(self, buffer: "WriteableBuffer") -> int:
        """Reads what has come, at least one octet unless the far end is done."""
        self._wire.settimeout(self._deadline.left())
        try:
            count = self._wire.recv_into(buffer)
        except TimeoutError:
            raise TooSlow("the deadline passed") from None
        self._room -= count
        if self._room < 0:
            raise NoAnswer("the answer is too long to be one")
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A file to read from."""
        return io.BufferedReader(_Reading(self))

    def close(self) -> None:
        """Nothing: http.client closes the last answer's socket before it has read its body."""

    def hang_up(self) -> None:
        """Ends it, once the answer is read."""
        self._wire.close()


class _Reading(io.RawIOBase):
    def __init__(self, wire: TimedSocket) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._wire.recv_into(buffer)
