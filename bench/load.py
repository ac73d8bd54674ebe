"""A small load generator: two processes with raw keep-alive sockets.

As fast as answers come, or at a given rate. At a rate, an answer's time counts from the moment its
request was due, so that a server that falls behind cannot hide it.
"""

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final
from urllib.parse import urlsplit

PROCESSES: Final = 2
LANES: Final = 16  # connections a process


@dataclass(frozen=True)
class Target:
    """Where forms are posted."""

    url: str

    def request(self, form: str) -> bytes:
        """The octets of one POST."""
        parts, body = urlsplit(self.url), form.encode()
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def connection(self) -> socket.socket:
        """An open one that does not block."""
        parts = urlsplit(self.url)
        link = socket.create_connection((str(parts.hostname), int(parts.port or 80)))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.settimeout(0)
        return link


@dataclass
class Driven:
    """What a drive saw: seconds of every answer, `wrong` answers, and how long it took."""

    times: list[float] = field(default_factory=list)
    wrong: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def quantile(self, share: float) -> float:
        """Milliseconds within which that share of the answers came."""
        ordered = sorted(self.times)
        return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def drive(target: Target, forms: Sequence[str], rate: float = 0.0, lanes: int = LANES) -> Driven:
    """Posts every form, at so many a second or as fast as answers come."""
    shares = [forms[number::PROCESSES] for number in range(PROCESSES)]
    began = time.monotonic()
    # spawned: the parent may have threads
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        done = [
            pool.submit(_driven, target, share, rate / PROCESSES, lanes) for share in shares
        ]  # fmt: skip
        parts = [one.result() for one in done]
    whole = Driven(seconds=max((part.seconds for part in parts), default=time.monotonic() - began))
    for part in parts:
        whole.times += part.times
        whole.wrong += part.wrong
    return whole


def _driven(target: Target, forms: Sequence[str], rate: float, lanes: int) -> Driven:
    return _Drive(target, forms, rate, lanes).run()


@dataclass
class _Lane:
    link: socket.socket
    due: float = 0.0
    heard: bytes = b""


class _Drive:
    """One process's share."""

    def __init__(self, target: Target, forms: Sequence[str], rate: float, lanes: int) -> None:
        self._requests: Iterator[bytes] = iter([target.request(form) for form in forms])
        self._left = len(forms)
        self._rate = rate
        self._sent = 0
        self._seen = Driven()
        self._selector = selectors.DefaultSelector()
        self._idle = [_Lane(target.connection()) for _ in range(lanes)]
        for lane in self._idle:
            self._selector.register(lane.link, selectors.EVENT_READ, lane)

    def run(self) -> Driven:
        """Until every request was answered."""
        self._began = time.perf_counter()
        while self._left:
            wait = self._send_due()
            for key, _ in self._selector.select(wait):
                self._hear(key.data)
        self._seen.seconds = time.perf_counter() - self._began
        return self._seen

    def _send_due(self) -> float | None:
        """Sends what is due on idle lanes; seconds until more is, None when an answer must come
        first."""
        while self._idle:
            now = time.perf_counter()
            due = self._began + self._sent / self._rate if self._rate else now
            if due > now:
                return due - now
            request = next(self._requests, None)
            if request is None:
                return None
            lane = self._idle.pop()
            lane.due, lane.heard = due, b""
            lane.link.sendall(request)
            self._sent += 1
        return None

    def _hear(self, lane: _Lane) -> None:
        octets = lane.link.recv(65536)
        if not octets:
            raise ConnectionError("the server closed a connection")
        lane.heard += octets
        head, found, body = lane.heard.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._seen.times.append(time.perf_counter() - lane.due)
        self._seen.wrong += not (b" 200 " in head[:16] and body.startswith((b"CON ", b"END ")))
        self._left -= 1
        self._idle.append(lane)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without a length")
