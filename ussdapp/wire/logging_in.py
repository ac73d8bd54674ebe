"""Knows how an ESME connects and binds (SMPP 3.4, 4.1), and what may answer instead of an SMSC."""

import socket
import ssl
import time
from typing import Final

from ussdapp.wire import pdu
from ussdapp.wire.bodies import Login, bind_body
from ussdapp.wire.link import Link
from ussdapp.wire.pulse import Limits

BINDS: Final = {
    "transceiver": pdu.BIND_TRANSCEIVER,
    "transmitter": pdu.BIND_TRANSMITTER,
    "receiver": pdu.BIND_RECEIVER,
}
# octets the kernel takes before it has sent them: what is urgent waits for no more than that
_UNSENT: Final = 64 * 1024


class BindRefused(Exception):
    """The SMSC answered the bind with another status than ESME_ROK."""

    def __init__(self, command_status: int) -> None:
        super().__init__(f"the bind was refused with status {command_status:#x}")
        self.command_status = command_status


def logged_in(
    login: Login, limits: Limits, tls: ssl.SSLContext | None, sequence: int
) -> tuple[Link, bytes]:
    """A link that is bound, and the octets that came along with the answer; raises BindRefused, or
    OSError when there is no SMPP to talk to."""
    link = Link(_connection(login, limits, tls))
    try:
        return link, _bound(link, login, limits, sequence)
    except (OSError, BindRefused):
        link.close()
        raise


def _connection(login: Login, limits: Limits, tls: ssl.SSLContext | None) -> socket.socket:
    connection = socket.create_connection((login.host, login.port), limits.connect_s)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        if tls is not None:
            return tls.wrap_socket(connection, server_hostname=login.host)
    except OSError:
        connection.close()
        raise
    return connection


def _bound(link: Link, login: Login, limits: Limits, sequence: int) -> bytes:
    command = BINDS[login.bind_type]
    link.put(pdu.encode(command, 0, sequence, bind_body(login)))
    until = time.monotonic() + limits.connect_s
    came = b""
    while True:
        link.flush()
        first, came, broken = pdu.behead(came + link.read(), limits.pdu_octets)
        if broken is not None:
            raise ConnectionAbortedError("what answered the bind speaks no SMPP")
        if first is not None:
            break
        if time.monotonic() > until:
            raise TimeoutError("no answer to the bind")
        link.wait(until - time.monotonic())
    if (first.command, first.status, first.sequence) != (command | pdu.RESPONSE, 0, sequence):
        raise BindRefused(first.status)
    return came
