"""Knows what holds of whatever an institution asks for under a key: notifications, bulks, codes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

FURTHEST: Final = timedelta(days=90)  # ahead that something may be sent


class AnotherBody(ValueError):
    """That idempotency key was used before, with another body."""


class TooFarAhead(ValueError):
    """It would be sent later than FURTHEST from now."""


def effect(kind: str, institution: str, named: str, *, live: bool) -> str:
    """What makes it unique among all that was ever asked; a live and a test key share nothing."""
    mode = "live" if live else "test"
    return f"{kind}:{mode}:{institution}:{named}"


def due_at(send_at: datetime | None, now: datetime) -> datetime:
    """When it may be sent; raises TooFarAhead."""
    due = max(send_at or now, now)
    if due - now > FURTHEST:
        raise TooFarAhead
    return due


def named_by(key: str | None, new_key: Callable[[], str]) -> str:
    """By an institution's key, or by one of ours where it gave none."""
    return f"new:{new_key()}" if key is None else f"key:{key}"
