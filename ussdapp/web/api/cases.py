"""Knows how an institution reads its cases, answers them and hands them to another."""

from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response

from ussdapp.core.case import CaseStatus, CaseView, Kind
from ussdapp.core.case_history import CaseEvent, ListedCase, Sought
from ussdapp.core.phishing import PhishingRefused
from ussdapp.core.reference import NotAReference, Reference
from ussdapp.ports import (
    CaseClosed,
    CaseHistories,
    NoSuchCase,
    NoSuchInstitution,
    SameInstitution,
)
from ussdapp.usecases.reply_to_case import ReplyTooLong
from ussdapp.web.api.case_models import (
    CaseEventShown,
    CaseListed,
    CasePageShown,
    CaseQuery,
    CaseRead,
    CaseReplyBody,
    CaseShown,
    CaseTransferBody,
    CaseTransferred,
)
from ussdapp.web.api.models import answered, at_fault, read_body, read_query
from ussdapp.web.api.operations import JSON, Operation, documented
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem
from ussdapp.web.serving import serving

cases = Blueprint("cases", __name__, url_prefix="/api/v1/cases")

_NONE: Final = "No case of yours has that reference number."
_PATH: Final = {"reference": "The citizen's reference number, 12 digits."}


@cases.get("")
@permission(scope("cases:read"))
@test_keys_too
@documented(Operation("List cases", query=CaseQuery, answers={200: CasePageShown}))
def listed() -> Response:
    """Your cases, the newest first, a page at a time."""
    asked, histories = read_query(CaseQuery), _histories()
    if asked.cursor is not None and not histories.is_cursor(asked.cursor):
        raise at_fault("cursor", "unknown", "It is no `next` of ours.")
    sought = Sought(
        CaseStatus(asked.status) if asked.status else None,
        Kind(asked.kind) if asked.kind else None,
        asked.due_before,
    )
    page = histories.page(holder().institution, sought, asked.cursor, asked.limit)
    found = [CaseListed(**_members(one)) for one in page.cases]
    return answered(200, CasePageShown(cases=found, next=page.next))


@cases.get("/<reference>")
@permission(scope("cases:read"))
@test_keys_too
@documented(Operation("See a case", answers={200: CaseRead}, path=_PATH))
def seen(reference: str) -> Response:
    """A case with all that happened. It is not found by an institution that handed it on."""
    try:
        history = _histories().one(holder().institution, Reference.parse(reference))
    except NotAReference:
        history = None
    if history is None:
        raise Problem(404, _NONE)
    events = [_event(one) for one in history.events]
    case = CaseRead(**_members(history.case), words=history.words, events=events)
    return answered(200, case)


@cases.post("/<reference>/replies")
@permission(scope("cases:reply"))
@test_keys_too
@documented(
    Operation(
        "Answer a case",
        bodies={JSON: CaseReplyBody},
        answers={201: CaseShown},
        problems=(409,),
        path=_PATH,
        example={"text": "Tumeshughulikia ombi lako.", "status": "answered"},
    )
)
def reply(reference: str) -> Response:
    """Answers the citizen by SMS; the same words again are the same reply."""
    body, parts = read_body(CaseReplyBody), serving()
    status = CaseStatus(body.status)
    try:
        case = parts.gateway.cases.reply(holder(), reference, body.text, status, parts.clock())
    except NoSuchCase:
        raise Problem(404, _NONE) from None
    except CaseClosed:
        raise Problem(409, "The case is closed and takes no reply.") from None
    except ReplyTooLong as refused:
        raise at_fault("text", "too_long", _too_long(refused)) from None
    except PhishingRefused as refused:
        raise at_fault("text", refused.code, str(refused)) from None
    return answered(201, _shown(case))


@cases.post("/<reference>/transfer")
@permission(scope("cases:transfer"))
@test_keys_too
@documented(
    Operation(
        "Hand a case to another institution",
        bodies={JSON: CaseTransferBody},
        answers={200: CaseTransferred},
        problems=(409,),
        path=_PATH,
        example={"institution": "nida", "reason": "Suala linahusu kitambulisho."},
    )
)
def transfer(reference: str) -> Response:
    """The case and its history are the other institution's alone; the time it is due stays. The
    citizen is told by SMS. The same transfer again is answered the same."""
    body, parts = read_body(CaseTransferBody), serving()
    try:
        done = parts.gateway.cases.transfer(
            holder(), reference, body.institution, body.reason, parts.clock()
        )
    except NoSuchCase:
        raise Problem(404, _NONE) from None
    except CaseClosed:
        raise Problem(409, "The case is closed and stays where it is.") from None
    except NoSuchInstitution:
        raise at_fault("institution", "unknown", "No institution has that short name.") from None
    except SameInstitution:
        told = "The case is yours already: name another institution."
        raise at_fault("institution", "same", told) from None
    return answered(
        200,
        CaseTransferred(
            reference=done.reference.digits,
            institution=done.to,
            transferred_at=done.at.astimezone(UTC),
        ),
    )


def _histories() -> CaseHistories:
    gateway = serving().gateway
    return gateway.cases.histories if holder().live else gateway.cases.simulated


def _too_long(refused: ReplyTooLong) -> str:
    told = f"With your name and the reference number it may be two SMS: at most {refused.most}"
    if refused.stranger is None:
        return f"{told} characters of GSM-7, of which some, such as € and [, count twice."
    code = f"U+{ord(refused.stranger.character):04X}"
    place = refused.stranger.position + 1
    return f"{told} characters, because character {place} ({code}) is not in GSM-7."


def _shown(case: CaseView) -> CaseShown:
    return CaseShown(
        reference=case.reference.digits,
        institution=case.institution,
        kind=case.kind.value,
        status=case.status.value,
        answer=case.answer,
        received_at=_second(case.received_at),
    )


def _members(case: ListedCase) -> dict[str, Any]:
    return {
        "reference": case.reference.digits,
        "institution": case.institution,
        "kind": case.kind.value,
        "status": case.status.value,
        "visibility": case.visibility.value,
        "medium": case.medium,
        "language": case.language,
        "received_at": _second(case.received_at),
        "due_at": _second(case.due_at),
    }


def _event(event: CaseEvent) -> CaseEventShown:
    return CaseEventShown(
        at=_second(event.at),
        what=event.what.value,
        status=event.status.value,
        institution=event.institution,
        words=event.words,
        to=event.to,
    )


def _second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
