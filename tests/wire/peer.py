"""A peer that says exactly what a test wants said, over a real socket."""

import socket

from tests.fakes.patience import PATIENCE
from ussdapp.wire import pdu
from ussdapp.wire.pdu import Pdu
from ussdapp.wire.pulse import Limits

QUICK = Limits(
    connect_s=5, enquire_s=30, enquire_answer_s=0.3, response_s=0.5, pdu_s=0.3, drain_s=0.5
)


class Peer:
    """The SMSC's end of one connection, spoken octet by octet."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port: int = self._listener.getsockname()[1]
        self.connection: socket.socket
        self._rest = b""

    def accept(self) -> None:
        self.connection, _ = self._listener.accept()
        self.connection.settimeout(PATIENCE)

    def welcome(self) -> Pdu:
        """Accepts a connection and its bind."""
        self.accept()
        bind = self.hear()
        self.say(bind.command | pdu.RESPONSE, 0, bind.sequence, b"peer\0")
        return bind

    def hear(self) -> Pdu:
        """The next PDU."""
        while True:
            first, self._rest, broken = pdu.behead(self._rest, 1 << 20)
            assert broken is None, "the ESME's stream is corrupt"
            if first is not None:
                return first
            data = self.connection.recv(65536)
            if not data:
                raise EOFError
            self._rest += data

    def hear_all(self, count: int) -> list[Pdu]:
        return [self.hear() for _ in range(count)]

    def say(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.raw(pdu.encode(command, status, sequence, body))

    def raw(self, octets: bytes) -> None:
        self.connection.sendall(octets)

    def hang_up(self) -> None:
        self.connection.close()

    def close(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()
        self._listener.close()
