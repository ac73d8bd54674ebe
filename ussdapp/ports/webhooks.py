"""What telling institutions of events needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ussdapp.core.inbound import KeyHolder
from ussdapp.core.webhook import Endpoint, Event, Posted


class NoSuchWebhook(LookupError):
    """The institution has no webhook of that name."""


class TooManyWebhooks(Exception):
    """The institution has as many as it may."""


class Webhooks(Protocol):
    """Where institutions want to be told of events. Raises Unavailable."""

    def put(
        self, by: KeyHolder, name: str, url: str, events: tuple[str, ...], secret: str, at: datetime
    ) -> bool:
        """Changes the webhook of that name, or makes it with that secret; tells whether it is new.
        Raises TooManyWebhooks."""
        ...

    def rotate(self, by: KeyHolder, name: str, secret: str, at: datetime) -> None:
        """That secret signs from now on, for some days beside the one before. Raises
        NoSuchWebhook."""
        ...


class Tellings(Protocol):
    """The events on their way to webhooks. Raises Unavailable."""

    def window(self, endpoint: Endpoint, now: datetime, most: int) -> list[Event]:
        """Its due events, at most so many."""
        ...

    def record(
        self, endpoint: Endpoint, done: Sequence[Posted], now: datetime, held: timedelta | None
    ) -> None:
        """Commits how posts ended and gives the webhook back: at once, or after it was left alone
        for that time."""
        ...

    def switch_off(self, endpoint: Endpoint, detail: str, now: datetime) -> None:
        """It is told nothing more until its institution puts it anew."""
        ...
