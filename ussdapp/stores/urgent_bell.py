"""Knows how a channel's worker hears what is urgent in the moment of the commit that queues it."""

import threading
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from ussdapp.wire.deadline import Deadline

_LOOK_S: Final = 5.0  # between looks whether PostgreSQL is still there
_ANSWERS_WITHIN_S: Final = 4.5
_AGAIN_S: Final = 1.0

log = structlog.get_logger()


class UrgentBell:
    """Listens on a connection of its own to what migration 0029 rings."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._deadline = Deadline(_ANSWERS_WITHIN_S)

    def listen(self, channel: str, heard: Callable[[], object], stopping: threading.Event) -> None:
        """Tells of each ring for that channel until told to stop. What is rung while PostgreSQL is
        away is found by looking."""
        while not stopping.is_set():
            try:
                self._hear(channel, heard, stopping)
            except psycopg.Error as trouble:
                log.warning("bell.unheard", channel=channel, trouble=type(trouble).__name__)
                stopping.wait(_AGAIN_S)

    def _hear(self, channel: str, heard: Callable[[], object], stopping: threading.Event) -> None:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as session:
            session.execute("LISTEN urgent")
            heard()  # it may have been rung before
            while not stopping.is_set():
                for word in session.notifies(timeout=_LOOK_S):
                    if word.payload == channel:
                        heard()
                with self._deadline.over(session.fileno()):  # a server that is frozen rings nothing
                    session.execute("SELECT")
