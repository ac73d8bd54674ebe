"""What the supervisor shows: the lines of its children and its own, in the order they come.

Nobody may be reading: a harness stops at the ready line, a terminal is gone. Lines wait in memory
up to a limit and are then dropped, so that no child ever waits for a reader.
"""

import json
import os
import select
from collections import deque
from datetime import UTC, datetime
from typing import Final

# A pipe that is ready for writing takes this much without blocking (pipe(7), PIPE_BUF).
CHUNK: Final = 4096
LIMIT: Final = 256  # chunks that wait for a reader


class Output:
    """A pipe for the children to write to, carried on to the descriptor `target`."""

    def __init__(self, target: int, wake: int) -> None:
        self._source, self.pipe = os.pipe()
        os.set_blocking(self._source, False)
        self._target = target
        self._wake = wake
        self._waiting: deque[bytes] = deque()
        self._begun = b""  # a line whose end has not come

    def line(self, text: str) -> None:
        """One line of our own."""
        self._waiting.append(f"{text}\n".encode())

    def event(self, name: str, /, **fields: str | int | float) -> None:
        """One event of our own, in the form of the children's logs."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.line(json.dumps({"event": name, **fields, "level": "info", "timestamp": now}))

    def carry(self, patience: float) -> None:
        """Carry lines for up to `patience` seconds, or until a signal comes."""
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        if self._waiting:
            poll.register(self._target, select.POLLOUT)
        for descriptor, event in poll.poll(patience * 1000):
            if descriptor == self._target:
                self._write(event)
            elif descriptor == self._source:
                self._read()
            else:
                os.read(self._wake, CHUNK)

    def finish(self, tries: int = 50) -> None:
        """Carry what is left, for half a second at most."""
        for _ in range(tries):
            self.carry(0.01)
            if not self._waiting:
                return

    def _read(self) -> None:
        while len(self._waiting) < LIMIT:
            try:
                lines, end, self._begun = (self._begun + os.read(self._source, CHUNK)).rpartition(
                    b"\n"
                )
            except BlockingIOError:
                return
            if end:
                self._waiting.append(lines + end)
        self._drop()

    def _drop(self) -> None:
        self._waiting.clear()
        self.event("log_lines_dropped")

    def _write(self, event: int) -> None:
        try:
            while self._waiting and event & select.POLLOUT:
                chunk = self._waiting.popleft()
                rest = chunk[os.write(self._target, chunk[:CHUNK]) :]
                if rest:
                    self._waiting.appendleft(rest)
                event = self._ready()
        except OSError:
            event = select.POLLERR
        if event & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            self._target = os.open(os.devnull, os.O_WRONLY)  # the reader is gone for good

    def _ready(self) -> int:
        poll = select.poll()
        poll.register(self._target, select.POLLOUT)
        return next((event for _, event in poll.poll(0)), 0)
