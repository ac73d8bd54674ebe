"""Knows what a request is served with: the gateway, and the time as the edge tells it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from flask import Flask, Request, current_app, request

from ussdapp.web.limits import Limits

if TYPE_CHECKING:
    from ussdapp.bootstrap import Gateway

_NAME: Final = "ussdapp"
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Serving:
    """What every view may use. `clock` gives aware times in UTC."""

    gateway: "Gateway"
    clock: Clock
    limits: Limits = field(default_factory=Limits)


def utc_now() -> datetime:
    """The machine's time, aware and UTC."""
    return datetime.now(UTC)


def serve_with(app: Flask, gateway: "Gateway", clock: Clock) -> None:
    """Gives the app what its views use."""
    app.extensions[_NAME] = Serving(gateway, clock)


def asked() -> Request:
    """The request itself: Flask's `request` looks it up anew at each attribute."""
    return cast("Request", request._get_current_object())  # type: ignore[attr-defined]  # a proxy's


def serving() -> Serving:
    """What the app of this request serves with."""
    return cast("Serving", current_app.extensions[_NAME])
