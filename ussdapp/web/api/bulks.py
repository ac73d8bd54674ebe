"""Knows how an institution sends a bulk, follows it, approves another's and stops it."""

from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, stream_with_context

from ussdapp.core import notes, sender_ids
from ussdapp.core.acceptance import FURTHEST, AnotherBody, TooFarAhead
from ussdapp.core.bulk import (
    AskedBulk,
    BulkRefused,
    BulkView,
    NoSuchBulk,
    NotNow,
    OwnBulk,
)
from ussdapp.core.cost import cost
from ussdapp.core.templates import NoSuchTemplate
from ussdapp.web.api.bulk_bodies import read_form, read_json
from ussdapp.web.api.bulk_models import (
    BulkAccepted,
    BulkBody,
    BulkCounts,
    BulkForm,
    BulkPreview,
    BulkShown,
    PreviewedRow,
)
from ussdapp.web.api.models import REUSED, answered, at_fault, idempotency_key
from ussdapp.web.api.operations import FORM, JSON, Example, Operation, documented
from ussdapp.web.api.rejections import written
from ussdapp.web.api.template_models import NO_TEMPLATE, noted
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem
from ussdapp.web.serving import asked, serving

bulks = Blueprint("bulks", __name__, url_prefix="/api/v1/bulks")

_NONE: Final = "There is no such bulk of yours."
_PATH: Final = {"number": "The bulk's id."}


@bulks.post("")
@permission(scope("bulks:send"))
@test_keys_too
@documented(
    Operation(
        "Send many notifications",
        bodies={JSON: BulkBody, FORM: BulkForm},
        answers={202: BulkAccepted},
        idempotent=True,
        example={
            "name": "Bili za Novemba",
            "text": "Ndugu ((jina)), bili yako ni TZS ((kiasi)).",
            "recipients": [{"to": "255700000000", "jina": "Asha", "kiasi": "12,000"}],
        },
        form=Example(
            {"name": "Bili za Novemba", "text": "Ndugu ((jina)), bili yako ni TZS ((kiasi))."},
            "bili.csv",
            'to,jina,kiasi\n255700000000,Asha,"12,000"\n',
        ),
    )
)
def send() -> Response:
    """Accepts a bulk, committed before the answer. Its rows are checked afterwards, and none is
    sent before all of them are."""
    key, parts = idempotency_key(), serving()
    try:
        asks, number, total = _accepted(key, parts.clock())
    except BulkRefused as refused:
        raise at_fault(refused.field, refused.code, str(refused)) from None
    except NoSuchTemplate:
        raise at_fault("template", "unknown", NO_TEMPLATE) from None
    except sender_ids.SenderIdRefused as refused:
        raise at_fault("sender_id", sender_ids.CODE, str(refused)) from None
    except TooFarAhead:
        told = f"Something is sent at most {FURTHEST.days} days ahead."
        raise at_fault("send_at", "range", told) from None
    except AnotherBody:
        raise Problem(409, REUSED) from None
    identity = parts.gateway.bulks.ids[holder().live].shown(number)
    answer = BulkAccepted(
        id=identity,
        status="checking",
        total=total,
        accepted=0,
        rejected=0,
        template=_used(number) if asks.template else None,
    )
    return answered(202, answer)


@bulks.get("/<number>")
@permission(scope("bulks:read"))
@test_keys_too
@documented(Operation("See a bulk", answers={200: BulkShown}, path=_PATH))
def see(number: str) -> Response:
    """Where a bulk stands. The rows of a large one are counted every few seconds."""
    return _standing(_number(number))


@bulks.get("/<number>/preview")
@permission(scope("bulks:read"))
@test_keys_too
@documented(Operation("See a bulk's first rows", answers={200: BulkPreview}, path=_PATH))
def preview(number: str) -> Response:
    """The first rows as they will be sent, with their parts; empty until some were checked."""
    try:
        identity, kept = _number(number), serving().gateway.bulks.kept
        found = kept.preview(holder().institution, identity)
        view = kept.view(holder().institution, identity)
    except NoSuchBulk:
        raise Problem(404, _NONE) from None
    rows = [PreviewedRow(**row, notes=noted("text", notes.of(row["text"]))) for row in found]
    return answered(200, BulkPreview(rows=rows, parts=view.parts, cost_tzs=_cost(view)))


@bulks.get("/<number>/rejections.csv")
@permission(scope("bulks:read"))
@test_keys_too
@documented(Operation("See what was refused", answers={200: "text/csv"}, path=_PATH))
def rejections(number: str) -> Response:
    """Row, field, code and message of everything that was refused, by row. Recipients are counted
    from 1; the rows of a file as a spreadsheet does: its header is row 1."""
    try:
        found = serving().gateway.bulks.kept.rejections(holder().institution, _number(number))
    except NoSuchBulk:
        raise Problem(404, _NONE) from None
    headers = {"Content-Disposition": 'attachment; filename="rejections.csv"'}
    return Response(
        stream_with_context(written(found)), 200, headers, content_type="text/csv; charset=utf-8"
    )


@bulks.post("/<number>/approve")
@permission(scope("bulks:approve"))
@test_keys_too
@documented(Operation("Approve a bulk", answers={200: BulkShown}, problems=(409,), path=_PATH))
def approve(number: str) -> Response:
    """Lets a bulk above the institution's limit be sent, or an urgent one to more than 1,000; by
    another person than the one who sent it, whichever of their keys either uses."""
    parts, by = serving(), holder()
    identity = _number(number)
    try:
        parts.gateway.bulks.kept.approve(by.institution, identity, by.person, parts.clock())
    except NoSuchBulk:
        raise Problem(404, _NONE) from None
    except OwnBulk:
        raise Problem(403, "Whoever sent a bulk does not approve it.") from None
    except NotNow as now:
        raise Problem(409, f"The bulk is {now.status.value}: nothing waits for approval.") from None
    return _standing(identity)


@bulks.post("/<number>/stop")
@permission(scope("bulks:send"))
@test_keys_too
@documented(Operation("Stop a bulk", answers={200: BulkShown}, problems=(409,), path=_PATH))
def stop(number: str) -> Response:
    """No row of it is submitted after the answer; again does no harm."""
    parts, by = serving(), holder()
    identity, name = _number(number), f"key {by.key_id}"
    try:
        view = parts.gateway.bulks.stop(by.institution, identity, name, parts.clock())
    except NoSuchBulk:
        raise Problem(404, _NONE) from None
    except NotNow:
        raise Problem(409, "The bulk is finished.") from None
    return answered(200, _shown(view))


def _accepted(key: str | None, now: datetime) -> tuple[AskedBulk, int, int]:
    """What was asked, its number, and how many rows came; 0 while those of a file are uncounted."""
    accept = serving().gateway.bulks.accept
    if asked().mimetype == FORM:
        asks, name, file = read_form(key)
        return asks, accept.file(holder(), asks, name, file, now), 0
    asks, recipients = read_json(key)
    return asks, accept.recipients(holder(), asks, recipients, now), len(recipients)


def _used(number: int) -> str | None:
    """The version a bulk is written with: of a repeat the first one's, whatever stands by now."""
    return serving().gateway.bulks.kept.view(holder().institution, number).template


def _number(shown: str) -> int:
    # what a test key sent has ids of its own kind: it can name no live bulk, nor a live key its
    number = serving().gateway.bulks.ids[holder().live].read(shown)
    if number is None:
        raise Problem(404, _NONE)
    return number


def _standing(number: int) -> Response:
    try:
        view = serving().gateway.bulks.kept.view(holder().institution, number)
    except NoSuchBulk:
        raise Problem(404, _NONE) from None
    return answered(200, _shown(view))


def _shown(view: BulkView) -> BulkShown:
    return BulkShown(
        id=serving().gateway.bulks.ids[holder().live].shown(view.id),
        status=view.status.value,
        total=view.total,
        accepted=view.accepted,
        rejected=view.rejected,
        name=view.name,
        code=view.code or None,
        detail=view.told(serving().clock(), serving().gateway.settings.bulk_hours),
        parts=view.parts,
        send_at=view.send_at.astimezone(UTC) if view.send_at else None,
        counts=BulkCounts(**view.counts),
        rate_per_s=None if view.rate_per_s is None else round(view.rate_per_s, 1),
        eta_s=view.eta_s,
        cost_tzs=_cost(view),
        template=view.template,
    )


def _cost(view: BulkView) -> float | None:
    found = cost(view.channel_parts, serving().gateway.settings.prices)
    return None if found is None else float(found)
