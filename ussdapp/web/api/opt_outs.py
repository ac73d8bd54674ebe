"""Knows how an institution sees who wants no more of its texts, and records whom it was told of."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import CitizensWord, NoSuchOptOut, OptedOut
from ussdapp.core.simulated import STATUSES
from ussdapp.web.api.models import (
    Answer,
    Body,
    MsisdnField,
    Query,
    TimeField,
    answered,
    at_fault,
    read_body,
    read_query,
)
from ussdapp.web.api.operations import JSON, Operation, documented
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem
from ussdapp.web.serving import serving

opt_outs = Blueprint("opt_outs", __name__, url_prefix="/api/v1/opt-outs")

MOST_PAGE: Final = 500
LearntName = Literal["sms", "ussd", "callback", "refusal", "receipt", "institution", "person"]
_NONE: Final = "There is no such opt-out of yours."
_THEIRS: Final = "The citizen's own word stands: only the citizen comes back, by ANZA or the menu."


class OptOutBody(Body):
    """What a citizen told you, on paper or at a desk."""

    to: MsisdnField
    since: TimeField | None = Field(None, description="When it was said; by itself, now.")


class OptOutChange(Answer):
    """What was heard, and how: `callback`, `refusal` and `receipt` are the operator's."""

    at: datetime
    what: Literal["opted_out", "opted_in"]
    learnt: LearntName | None


class OptOutShown(Answer):
    """Who wants no texts: none of `institution`, which is you, or none but urgent ones of `all`.
    It is in force while `until` is null; `learnt` is the strongest word there is, and `to` null
    where it was never kept."""

    id: str
    to: MsisdnField | None
    scope: Literal["institution", "all"]
    since: datetime
    until: datetime | None
    learnt: LearntName | None
    history: list[OptOutChange]


class OptOutQuery(Query):
    """Which opt-outs to list, in the order in which they changed."""

    since: TimeField | None = Field(None, description="Only what changed since then.")
    cursor: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="`next` of the page before."
    )
    limit: int = Field(100, ge=1, le=MOST_PAGE, description="About how many.")


class OptOutList(Answer):
    """A page; there may be more while `next` is given, also after one with few or none."""

    opt_outs: list[OptOutShown]
    next: str | None


@opt_outs.get("")
@permission(scope("opt-outs:read"))
@test_keys_too
@documented(Operation("List opt-outs", query=OptOutQuery, answers={200: OptOutList}))
def listed() -> Response:
    """Who wants no more texts of yours, or of anybody where you have texted them. Ask again with a
    `since` some minutes before your last: changes that were made at one moment may show at two."""
    asked, register = read_query(OptOutQuery), serving().gateway.opt_out_register
    if asked.cursor is not None and not register.is_cursor(asked.cursor):
        raise at_fault("cursor", "unknown", "It is no `next` of ours.")
    page = register.page(holder(), asked.cursor, asked.limit, asked.since)
    return answered(200, OptOutList(opt_outs=[_shown(o) for o in page.opt_outs], next=page.next))


@opt_outs.post("")
@permission(scope("opt-outs:write"))
@test_keys_too
@documented(
    Operation(
        "Record an opt-out",
        bodies={JSON: OptOutBody},
        answers={201: OptOutShown},
        example={"to": "255700000001"},
    )
)
def record() -> Response:
    """Notes that a citizen told you to send no more texts; again, it is the same. A test key takes
    simulated MSISDNs alone."""
    sent, parts = read_body(OptOutBody), serving()
    now = parts.clock()
    if not holder().live and sent.to not in STATUSES:
        raise at_fault("to", "not_simulated", f"A test key takes one of {', '.join(STATUSES)}.")
    if sent.since is not None and sent.since > now:
        raise at_fault("since", "range", "It lies ahead.")
    register = parts.gateway.opt_out_register
    return answered(201, _shown(register.record(holder(), Msisdn(sent.to), sent.since or now, now)))


@opt_outs.delete("/<id>")
@permission(scope("opt-outs:write"))
@test_keys_too
@documented(
    Operation(
        "Withdraw an opt-out",
        answers={200: OptOutShown},
        problems=(409,),
        path={"id": "As it was answered or listed."},
    )
)
def withdraw(id: str) -> Response:  # noqa: A002 - as the API names it
    """Ends what you recorded, and nobody else: what the citizen or the operator told stays."""
    parts = serving()
    try:
        return answered(
            200, _shown(parts.gateway.opt_out_register.withdraw(holder(), id, parts.clock()))
        )
    except NoSuchOptOut:
        raise Problem(404, _NONE) from None
    except CitizensWord:
        raise Problem(409, _THEIRS) from None


def _shown(one: OptedOut) -> OptOutShown:
    return OptOutShown(
        id=one.id,
        to=one.msisdn.digits if one.msisdn else None,
        scope="institution" if one.institution else "all",
        since=one.since.astimezone(UTC),
        until=one.until.astimezone(UTC) if one.until else None,
        learnt=one.learnt.value if one.learnt else None,
        history=[
            OptOutChange(
                at=change.at.astimezone(UTC),
                what="opted_out" if change.out else "opted_in",
                learnt=change.learnt.value if change.learnt else None,
            )
            for change in one.history
        ],
    )
