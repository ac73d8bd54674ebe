"""Knows how an institution says where it is told of events, and sees what became of them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from flask import Blueprint, Response
from pydantic import AfterValidator, Field, StringConstraints

from ussdapp.core.keys import IssuedKey
from ussdapp.core.webhook import OVERLAP, DeliveryView, WebhookView
from ussdapp.ports import NoSuchWebhook, TooManyWebhooks
from ussdapp.web.api.models import Answer, Body, answered, at_fault, fault, read_body
from ussdapp.web.api.operations import JSON, Operation, documented
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem
from ussdapp.web.serving import serving
from ussdapp.wire.addresses import MOST_URL, Forbidden

webhooks = Blueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")

SCOPE: Final = scope("webhooks:write")
_NONE: Final = "There is no such webhook of yours."
_PATH: Final = {"name": "Your own name for it: 1 to 40 of a-z, 0-9, - and _."}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
T = TypeVar("T")
EventName = Literal["notification.final", "bulk.finished", "case.opened", "sms.received"]


def _each_once(events: list[str]) -> list[str]:
    if len(set(events)) < len(events):
        raise fault("twice", "Name each event once.")
    return events


class WebhookBody(Body):
    """Where you want to be told, and of what."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=MOST_URL)] = Field(
        description="https, a public host, no user, no fragment; port 443 or from 1024."
    )
    events: Annotated[
        list[EventName],
        Field(min_length=1, max_length=4, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ]


class WebhookShown(Answer):
    """A webhook as it stands; one that is `off` is told nothing until it is put again."""

    name: str
    url: str
    events: list[EventName]
    status: Literal["on", "off"]
    detail: str
    created_at: datetime
    rotated_at: datetime | None


class WebhookMade(WebhookShown):
    """A webhook that is new."""

    secret: str = Field(description="Shown this once; it signs every post.")


class WebhookList(Answer):
    """Your webhooks, by name."""

    webhooks: list[WebhookShown]


class WebhookDelivery(Answer):
    """What became of one event."""

    id: str = Field(description="Its webhook-id, the same at each try.")
    type: str
    at: datetime = Field(description="When it happened.")
    status: Literal["waiting", "delivered", "given_up"]
    tries: int
    tried_at: datetime | None
    detail: str = Field(description="The last answer: an HTTP status, or why there was none.")
    next_try_at: datetime | None


class WebhookDeliveries(WebhookShown):
    """A webhook with the last events it was to be told, the newest first."""

    deliveries: list[WebhookDelivery]


class WebhookSecret(Answer):
    """A new secret; both sign until then."""

    secret: str = Field(description="Shown this once.")
    former_until: datetime = Field(description="Until then the secret before signs as well.")


class WebhookPinged(Answer):
    """A test event is on its way."""

    id: str = Field(description="Its webhook-id.")


@webhooks.put("/<name>")
@permission(SCOPE)
@test_keys_too
@documented(
    Operation(
        "Be told of events",
        bodies={JSON: WebhookBody},
        answers={200: WebhookShown, 201: WebhookMade},
        problems=(409,),
        path=_PATH,
        example={
            "url": "https://mfumo.ega.go.tz/webhooks/ussd",
            "events": ["notification.final", "case.opened"],
        },
    )
)
def put(name: str) -> Response:
    """Makes a webhook, whose secret is shown this once, or changes the one of that name and
    switches it on. A webhook of a test key is told of what test keys sent and of what was
    simulated."""
    asked, parts, by = read_body(WebhookBody), serving(), holder()
    if not _NAME.fullmatch(name):
        raise at_fault("name", "shape", _PATH["name"])
    events = tuple(asked.events)
    try:
        secret = parts.gateway.webhooks.put(by, name, asked.url, events, parts.clock())
    except Forbidden as why:
        raise at_fault("url", "forbidden", f"{why}.") from None
    except TooManyWebhooks:
        raise Problem(409, "You have as many webhooks as there may be: drop one.") from None
    view, _ = _found(name, parts.gateway.webhooks.kept.one)
    if secret is None:
        return answered(200, WebhookShown(**_members(view)))
    headers = {"Cache-Control": "no-store"}
    return answered(201, WebhookMade(**_members(view), secret=secret), headers)


@webhooks.get("")
@permission(SCOPE)
@test_keys_too
@documented(Operation("List your webhooks", answers={200: WebhookList}))
def listed() -> Response:
    """All of them; none of their secrets."""
    found = serving().gateway.webhooks.kept.all(holder())
    return answered(200, WebhookList(webhooks=[WebhookShown(**_members(one)) for one in found]))


@webhooks.get("/<name>")
@permission(SCOPE)
@test_keys_too
@documented(Operation("See a webhook", answers={200: WebhookDeliveries}, path=_PATH))
def shown(name: str) -> Response:
    """Where it stands, and what became of the last twenty events; what is older than ten days is
    forgotten."""
    view, deliveries = _found(name, serving().gateway.webhooks.kept.one)
    told = [WebhookDelivery(**_told(one)) for one in deliveries]
    return answered(200, WebhookDeliveries(**_members(view), deliveries=told))


@webhooks.delete("/<name>")
@permission(SCOPE)
@test_keys_too
@documented(Operation("Drop a webhook", answers={204: None}, path=_PATH))
def drop(name: str) -> Response:
    """It is told nothing more."""
    parts = serving()
    _found(name, lambda by, known: parts.gateway.webhooks.kept.drop(by, known, parts.clock()))
    return Response(status=204)


@webhooks.post("/<name>/secret")
@permission(SCOPE)
@test_keys_too
@documented(Operation("Change a webhook's secret", answers={200: WebhookSecret}, path=_PATH))
def rotate(name: str) -> Response:
    """A new secret. For seven days each post carries a signature of both, so that you can exchange
    it at your ease; a third at once ends the first."""
    parts = serving()
    now = parts.clock()
    secret = _found(name, lambda by, known: parts.gateway.webhooks.put.rotate(by, known, now))
    told = WebhookSecret(secret=secret, former_until=now + OVERLAP)
    return answered(200, told, {"Cache-Control": "no-store"})


@webhooks.post("/<name>/test")
@permission(SCOPE)
@test_keys_too
@documented(Operation("Test a webhook", answers={202: WebhookPinged}, problems=(409,), path=_PATH))
def ping(name: str) -> Response:
    """Sends an event of type `ping`, signed and tried again as all are."""
    parts = serving()
    found = parts.gateway.webhooks.kept
    identity = _found(name, lambda by, known: found.ping(by, known, parts.clock()))
    if identity is None:
        raise Problem(409, "The webhook is off: put it again first.")
    return answered(202, WebhookPinged(id=identity))


def _found(name: str, work: Callable[[IssuedKey, str], T]) -> T:
    """What `work` returns for the caller's webhook of that name; raises Problem 404."""
    try:
        if _NAME.fullmatch(name):
            return work(holder(), name)
    except NoSuchWebhook:
        pass
    raise Problem(404, _NONE)


def _members(view: WebhookView) -> dict[str, Any]:
    return {
        "name": view.name,
        "url": view.url,
        "events": list(view.events),
        "status": "off" if view.off_at else "on",
        "detail": view.detail,
        "created_at": _utc(view.created_at),
        "rotated_at": _utc(view.rotated_at),
    }


def _told(delivery: DeliveryView) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "at": _utc(delivery.at),
        "status": delivery.status.value,
        "tries": delivery.tries,
        "tried_at": _utc(delivery.tried_at),
        "detail": delivery.detail,
        "next_try_at": _utc(delivery.next_try_at),
    }


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
