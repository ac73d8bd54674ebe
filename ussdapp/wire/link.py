"""Knows one TCP or TLS connection: queued octets out, whatever came in, nobody waiting for a lock.

The socket never blocks. Whoever queues octets also writes what the kernel takes at once; the rest
is written by the one thread that waits on the link. So a peer that stops reading holds up nobody
who reads, and how far each frame got is known when the connection dies.
"""

import select
import socket
import ssl
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from typing import Final

READ_SIZE: Final = 256 * 1024
_TLS_RECORD: Final = 16 * 1024
_LATER: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Frame:
    """Octets to write. Of `data`, the first `touched` octets left or may have left."""

    __slots__ = ("at", "behind", "data", "touched")

    def __init__(self, data: bytes, *, behind: bool = False) -> None:
        self.data = memoryview(data)
        self.behind = behind
        self.at = 0
        self.touched = 0


class Link:
    """Owns a connected socket. Any thread may `put`, `withdraw` and `wake`; one does the rest."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        self._socket = connection
        self._tls = isinstance(connection, ssl.SSLSocket)
        self._io = threading.Lock()
        self._ahead: deque[Frame] = deque()
        self._behind: deque[Frame] = deque()
        self._begun: Frame | None = None
        self._broken = False
        self._closed = False
        self._woken, self._waker = socket.socketpair()
        self._woken.settimeout(0)
        self._waker.settimeout(0)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)

    def put(self, data: bytes, *, behind: bool = False) -> Frame:
        """Queues octets and writes what can be written without waiting; those put `behind` only
        when no others wait. A frame that was begun is finished first."""
        frame = Frame(data, behind=behind)
        with self._io:
            self._queue(frame).append(frame)
            self._write()
            waits = self._waits
        if waits:
            self.wake()
        return frame

    def withdraw(self, frame: Frame, ends: Sequence[int]) -> int:
        """Takes back what was not written, but finishes the PDU begun; `ends` are the offsets at
        which the frame's PDUs end. Returns how many octets left or may leave."""
        with self._io:
            if frame.touched:
                kept = ends[bisect_left(ends, frame.touched)]
                frame.data = frame.data[:kept]
            elif frame in self._queue(frame):
                self._queue(frame).remove(frame)
            return frame.touched

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to read or to write; tells whether to read."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        wanted = select.POLLIN | (select.POLLOUT if self._waits else 0)
        self._poll.register(self._socket, wanted)
        events = dict(self._poll.poll(max(0.0, seconds) * 1000))
        if events.pop(self._woken.fileno(), 0):
            self._drain_wakes()
        return bool(events.get(self._socket.fileno(), 0) & ~select.POLLOUT)

    def read(self) -> bytes:
        """What came in, b"" when nothing did after all; raises OSError when the link is over."""
        with self._io:
            try:
                data = self._socket.recv(READ_SIZE)
            except _LATER:
                return b""
        if not data:
            raise ConnectionResetError("the peer closed the connection")
        return data

    def flush(self) -> None:
        """Writes what can be written without waiting; raises OSError when the link is over."""
        with self._io:
            self._write()
            if self._broken:
                raise ConnectionResetError("the connection broke while writing")

    def wake(self) -> None:
        """Ends the other thread's `wait`."""
        with self._io:
            if not self._closed:
                try:
                    self._waker.send(b"\0")
                except BlockingIOError:
                    return  # it is full of wakes already

    def close(self) -> None:
        """Drops the connection and what is queued; a second call does nothing."""
        with self._io:
            if self._closed:
                return
            self._closed = self._broken = True
            self._ahead.clear()
            self._behind.clear()
            self._begun = None
            self._socket.close()
            self._woken.close()
            self._waker.close()

    @property
    def _waits(self) -> bool:
        return bool(self._begun or self._ahead or self._behind)

    def _write(self) -> None:
        while not self._broken:
            frame = self._begun or self._next()
            if frame is None:
                return
            self._begun = frame
            chunk = frame.data[frame.at :]
            if self._tls:
                # a record that was begun must be offered again unshortened, so its octets count
                # as gone from the moment they are offered
                chunk = chunk[:_TLS_RECORD]
                frame.touched = max(frame.touched, frame.at + len(chunk))
            try:
                frame.at += self._socket.send(chunk)
            except _LATER:
                self._put_back(frame)
                return
            except OSError:
                self._broken = True
                return
            frame.touched = max(frame.touched, frame.at)
            if frame.at == len(frame.data):
                self._begun = None

    def _queue(self, frame: Frame) -> deque[Frame]:
        return self._behind if frame.behind else self._ahead

    def _next(self) -> Frame | None:
        queue = self._ahead or self._behind
        return queue.popleft() if queue else None

    def _put_back(self, frame: Frame) -> None:
        """Not one octet of it left: others may still overtake it, or it may be withdrawn."""
        if not frame.touched:
            self._begun = None
            self._queue(frame).appendleft(frame)

    def _drain_wakes(self) -> None:
        try:
            while self._woken.recv(4096):
                pass
        except BlockingIOError:
            return
