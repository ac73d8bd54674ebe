"""Knows how an institution asks for a sender ID, a keyword or a service code, and what became of
it. Allotting is the gateway's operator's."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.codes import MEANS, Code, CodeKind, CodeRefused
from ussdapp.usecases.request_code import AskedCode
from ussdapp.web.api.models import (
    REUSED,
    Answer,
    Body,
    Query,
    TextField,
    answered,
    at_fault,
    idempotency_key,
    one_of,
    read_body,
    read_query,
)
from ussdapp.web.api.operations import JSON, Operation, documented
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem
from ussdapp.web.serving import serving

codes = Blueprint("codes", __name__, url_prefix="/api/v1/codes")

KindName = Literal["sender_id", "keyword", "service_code"]
StatusName = Literal["requested", "conditions_met", "late", "allotted", "refused", "revoked"]
MOST_LISTED: Final = 1000
_NONE: Final = "There is no such request of yours."


class CodeBody(Body):
    """What you ask for."""

    kind: KindName
    value: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(
        description="A sender ID of 3 to 11 characters or a short code; a keyword of one word; a "
        "branch of the menu by its name or as it is dialled, such as *152*00*34#."
    )
    purpose: Annotated[TextField, StringConstraints(min_length=1, max_length=500)] = Field(
        description="What citizens get by it."
    )
    url: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        None,
        description="Of a keyword: the https address its texts are handed to, as a POST of "
        "`{message, msisdn, transaction_id, sent_time}` whose header `hash` is the base64 "
        "HMAC-SHA256 of the body under `secret`. Answer `{transaction_id, message, reply: 1}` "
        "within 5 seconds; the same transaction_id may come twice.",
    )


class ConditionMet(Answer):
    """A condition that is met."""

    name: str = Field(description=one_of(MEANS))
    met_at: datetime


class CodeShown(Answer):
    """A request as it stands. `due_at` is when the three working days of the charter are over;
    they run from the day the last condition is met."""

    id: str
    kind: KindName
    value: str
    purpose: str
    url: str | None
    status: StatusName
    requested_at: datetime
    conditions: list[ConditionMet]
    missing: list[str] = Field(description="The conditions that are not met yet.")
    due_at: datetime | None
    late: bool
    decided_at: datetime | None
    reason: str


class CodeRequested(CodeShown):
    """The same; `secret` is what a keyword's texts are signed with, and is told here alone."""

    secret: str | None


class CodeQuery(Query):
    """Which to list."""

    kind: KindName | None = Field(None, description="Only those of that kind.")
    status: StatusName | None = Field(None, description="Only those that stand so.")


class CodeList(Answer):
    """Your codes, the newest first."""

    codes: list[CodeShown]


@codes.post("")
@permission(scope("codes:request"))
@test_keys_too
@documented(
    Operation(
        "Ask for a code",
        bodies={JSON: CodeBody},
        answers={201: CodeRequested},
        idempotent=True,
        example={"kind": "sender_id", "value": "MAJI MORO", "purpose": "Bili za maji."},
    )
)
def ask() -> Response:
    """Asks for a sender ID, a keyword or a branch of the service code. What a test key asks for is
    checked alike and never allotted."""
    key, sent, parts, by = idempotency_key(), read_body(CodeBody), serving(), holder()
    asked = AskedCode(
        CodeKind(sent.kind), sent.value, sent.purpose, sent.url or "", key, sent.model_dump_json()
    )
    try:
        code = parts.gateway.codes.request(
            by.institution, asked, by.person, parts.clock(), live=by.live
        )
    except CodeRefused as refused:
        raise at_fault(refused.field, refused.code, str(refused)) from None
    except AnotherBody:
        raise Problem(409, REUSED) from None
    answer = CodeRequested(**_shown(code).model_dump(), secret=code.secret or None)
    return answered(201, answer)


@codes.get("")
@permission(scope("codes:read"))
@test_keys_too
@documented(Operation("List your codes", query=CodeQuery, answers={200: CodeList}))
def listed() -> Response:
    """What you asked for and what you have, the newest first."""
    asked, by = read_query(CodeQuery), holder()
    found = serving().gateway.codes.kept.of(by.institution, live=by.live, most=MOST_LISTED)
    shown = [
        one
        for one in map(_shown, found)
        if asked.kind in (None, one.kind) and asked.status in (None, one.status)
    ]
    return answered(200, CodeList(codes=shown))


@codes.get("/<id>")
@permission(scope("codes:read"))
@test_keys_too
@documented(Operation("See a code", answers={200: CodeShown}, path={"id": "As it was answered."}))
def see(id: str) -> Response:  # noqa: A002 - as the API names it
    """Where a request stands: what is still missing, when it is due, and why it was refused."""
    parts, by = serving(), holder()
    number = parts.gateway.codes.ids.read(id)
    found = (
        []
        if number is None
        else parts.gateway.codes.kept.of(by.institution, live=by.live, number=number)
    )
    if not found:
        raise Problem(404, _NONE)
    return answered(200, _shown(found[0]))


def _shown(code: Code) -> CodeShown:
    return CodeShown(
        id=serving().gateway.codes.ids.shown(code.id),
        kind=code.kind.value,
        value=code.value,
        purpose=code.purpose,
        url=code.url or None,
        status="late" if code.standing == "late" else code.status.value,
        requested_at=code.requested_at.astimezone(UTC),
        conditions=[
            ConditionMet(name=one.name, met_at=one.met_at.astimezone(UTC))
            for one in code.conditions
        ],
        missing=list(code.missing),
        due_at=code.due_at,
        late=code.late,
        decided_at=code.decided_at.astimezone(UTC) if code.decided_at else None,
        reason=code.reason,
    )
