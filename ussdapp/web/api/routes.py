"""Knows the institutions' API, version 1 (CONTRACT section 4)."""

from datetime import UTC

from flask import Blueprint, Response

from ussdapp.core.case import CaseView
from ussdapp.core.parts import TooLong
from ussdapp.ports import CaseClosed, NoSuchCase
from ussdapp.web.api.bodies import read_reply
from ussdapp.web.permissions import holder, permission, scope
from ussdapp.web.problems import FieldError, Problem, json_reply
from ussdapp.web.serving import serving

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.post("/cases/<reference>/replies")
@permission(scope("cases:reply"))
def reply_to_case(reference: str) -> Response:
    """An institution answers one of its cases; the same words again are the same reply,
    answered with the same bytes."""
    body = read_reply()
    parts = serving()
    try:
        case = parts.gateway.reply_to_case(
            holder(), reference, body.text, body.status, parts.clock()
        )
    except NoSuchCase:
        raise Problem(404, "No case of yours has that reference number.") from None
    except CaseClosed:
        raise Problem(409, "The case is closed and takes no reply.") from None
    except TooLong:
        error = FieldError("text", "too_long", "It would take more parts than one SMS may have.")
        raise Problem(422, "Some fields cannot be taken.", [error]) from None
    return json_reply(201, case_members(case))


def case_members(case: CaseView) -> dict[str, str]:
    """A case as the API shows it."""
    received_at = case.received_at.astimezone(UTC).isoformat(timespec="seconds")
    return {
        "reference": case.reference.digits,
        "institution": case.institution,
        "kind": case.kind.value,
        "status": case.status.value,
        "answer": case.answer,
        "received_at": received_at.replace("+00:00", "Z"),
    }
