"""Knows how an institution sends single notifications and asks what became of them."""

from datetime import UTC, timedelta
from typing import Any, Final

from flask import Blueprint, Response

from ussdapp.core import sender_ids
from ussdapp.core.acceptance import FURTHEST, AnotherBody, TooFarAhead
from ussdapp.core.bulk import NoSuchBulk
from ussdapp.core.history import Sent
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.parts import MOST_PARTS, TooLong
from ussdapp.core.phishing import PhishingRefused
from ussdapp.core.status import Status
from ussdapp.core.templates import NoSuchTemplate, ValuesLacking
from ussdapp.usecases.accept_notification import Asked
from ussdapp.web.api.models import (
    REUSED,
    answered,
    at_fault,
    idempotency_key,
    read_body,
    read_query,
)
from ussdapp.web.api.notification_models import (
    NotificationAccepted,
    NotificationBody,
    NotificationEvent,
    NotificationListed,
    NotificationPage,
    NotificationQuery,
    NotificationShown,
)
from ussdapp.web.api.operations import JSON, Operation, documented
from ussdapp.web.api.template_models import (
    NO_TEMPLATE,
    as_body,
    noted,
)
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem
from ussdapp.web.serving import serving

notifications = Blueprint("notifications", __name__, url_prefix="/api/v1/notifications")

_NONE: Final = "There is no such notification of yours."
_NO_BULK: Final = "There is no such bulk of yours."


@notifications.post("")
@permission(scope("notifications:send"))
@test_keys_too
@documented(
    Operation(
        "Send one notification",
        bodies={JSON: NotificationBody},
        answers={202: NotificationAccepted},
        idempotent=True,
        example={
            "to": "255700000000",
            "text": "Ombi lako limepokelewa.",
            "class": "transaction",
            "reference": "RT-2345",
        },
    )
)
def send() -> Response:
    """Accepts one text to one MSISDN; it is committed before the answer."""
    key, sent = idempotency_key(), read_body(NotificationBody)
    parts = serving()
    try:
        done = parts.gateway.notifications.accept(holder(), _asked(sent, key), parts.clock())
    except TooLong:
        raise at_fault(
            _worded_by(sent), "too_long", f"It takes more than {MOST_PARTS} parts."
        ) from None
    except NoSuchTemplate:
        raise at_fault("template", "unknown", NO_TEMPLATE) from None
    except ValuesLacking as lacking:
        raise at_fault("values", "missing", str(lacking)) from None
    except PhishingRefused as refused:
        raise at_fault(_worded_by(sent), refused.code, str(refused)) from None
    except sender_ids.SenderIdRefused as refused:
        raise at_fault("sender_id", sender_ids.CODE, str(refused)) from None
    except TooFarAhead:
        sentence = f"At most {FURTHEST.days} days ahead."
        raise at_fault("send_at", "range", sentence) from None
    except AnotherBody:
        raise Problem(409, REUSED) from None
    answer = NotificationAccepted(
        id=done.ids[0],
        status="queued",
        to=sent.to,
        encoding=done.encoding.value,
        parts=done.parts,
        reference=sent.reference,
        template=done.template,
        notes=[*noted("text", done.notes), *noted("send_at", done.time_notes)],
    )
    return answered(202, answer)


@notifications.get("")
@permission(scope("notifications:read"))
@test_keys_too
@documented(
    Operation(
        "List notifications",
        query=NotificationQuery,
        answers={200: NotificationPage},
        problems=(404,),
    )
)
def listed() -> Response:
    """Your notifications, the newest first, a page at a time. `?bulk=<id>&status=rejected` lists
    which rows of a bulk were rejected when their turn came, and why: who opted out is among
    them."""
    asked, histories = read_query(NotificationQuery), serving().gateway.notifications.histories
    if asked.cursor is not None and not histories.is_cursor(asked.cursor):
        raise at_fault("cursor", "unknown", "It is no `next` of ours.")
    status = Status(asked.status) if asked.status else None
    bulk = None if asked.bulk is None else _bulk(asked.bulk)
    page = histories.page(holder(), asked.cursor, asked.limit, asked.reference, status, bulk)
    if bulk is not None and not page.sent:
        _must_be_yours(bulk)
    found = [NotificationListed(**_members(one)) for one in page.sent]
    return answered(200, NotificationPage(notifications=found, next=page.next))


@notifications.get("/<id>")
@permission(scope("notifications:read"))
@test_keys_too
@documented(
    Operation(
        "Show one notification",
        answers={200: NotificationShown},
        path={"id": "As it was answered when it was accepted."},
    )
)
def shown(id: str) -> Response:  # noqa: A002 - as the API names it
    """What became of one of your notifications, and why."""
    parts = serving()
    found = parts.gateway.notifications.histories.one(holder(), id, parts.clock())
    if found is None:
        raise Problem(404, _NONE)
    answer = NotificationShown(
        **_members(found.sent),
        attempts=found.sent.attempts,
        parts_delivered=found.sent.parts_delivered,
        events=[
            NotificationEvent(at=one.at, status=one.status.value, detail=one.detail)
            for one in found.events
        ],
        why=found.why,
    )
    return answered(200, answer)


def _bulk(shown: str) -> int:
    number = serving().gateway.bulks.ids[holder().live].read(shown)
    if number is None:
        raise Problem(404, _NO_BULK)
    return number


def _must_be_yours(bulk: int) -> None:
    try:
        serving().gateway.bulks.kept.view(holder().institution, bulk)
    except NoSuchBulk:
        raise Problem(404, _NO_BULK) from None


def _asked(sent: NotificationBody, key: str | None) -> Asked:
    expires_in = None if sent.expires_in is None else timedelta(seconds=sent.expires_in)
    return Asked(
        to=(Msisdn(sent.to),),
        text=sent.text or "",
        klass=Class(sent.klass),
        key=key,
        body=as_body(sent, sent.template),
        sender_id=sent.sender_id,
        reference=sent.reference,
        send_at=sent.send_at,
        expires_in=expires_in,
        template=sent.use,
    )


def _worded_by(sent: NotificationBody) -> str:
    """The field that made the text what it is."""
    return "text" if sent.template is None else "values"


def _members(sent: Sent) -> dict[str, Any]:
    return {
        "id": sent.id,
        "status": sent.status.value,
        "to": sent.msisdn.digits,
        "klass": sent.klass.value,
        "sender_id": sent.sender_id,
        "encoding": sent.encoding.value,
        "parts": sent.parts,
        "reference": sent.reference,
        "accepted_at": sent.accepted_at.astimezone(UTC),
        "status_at": sent.status_at.astimezone(UTC),
        "row": sent.row,
        "detail": sent.detail,
    }
