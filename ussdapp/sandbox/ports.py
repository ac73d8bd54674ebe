"""Ports on loopback, held for as long as the supervisor lives so that two copies never take the
same one."""

import errno
import socket
from dataclasses import dataclass

from ussdapp.sandbox.embedded import CannotStart

TRIES = 200


@dataclass(frozen=True)
class Port:
    """A port that is ours; `claim` is an abstract socket whose name no other copy on this machine
    can take."""

    number: int
    claim: socket.socket


def number_of(spelt: str) -> int:
    """The port that PORT names; raises CannotStart."""
    if spelt.isascii() and spelt.isdigit() and len(spelt) < 6 and 0 < int(spelt) < 65536:
        return int(spelt)
    raise CannotStart(f"PORT is {spelt[:20]!r}: set it to a number from 1 to 65535, such as 8000.")


def take(number: int) -> Port:
    """This port, or CannotStart when it is not this user's to take, somebody listens there or
    another copy holds it."""
    try:
        port = _taken(number)
    except PermissionError:
        raise CannotStart(
            f"Port {number} is for the superuser alone: set PORT to one from 1024 on."
        ) from None
    if port is None:
        raise CannotStart(f"Port {number} is taken: set PORT to another one.")
    return port


def take_from(first: int) -> Port:
    """The first free port from `first` on."""
    for number in range(first, first + TRIES):
        port = _taken(number)
        if port is not None:
            return port
    raise CannotStart(f"No port from {first} to {first + TRIES - 1} is free.")


def listens(number: int) -> bool:
    """True when a connection to this port is accepted."""
    with socket.socket() as link:
        link.settimeout(0.5)
        return link.connect_ex(("127.0.0.1", number)) == 0


def answers_200(number: int, path: str) -> bool:
    """True when GET of this path is answered with status 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{number}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", number), timeout=2) as link:
            link.sendall(request.encode())
            return link.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.0 200")
    except OSError:
        return False


def _taken(number: int) -> Port | None:
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0ussdapp-port-{number}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", number))
    except OSError as error:
        claim.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    return Port(number, claim)
