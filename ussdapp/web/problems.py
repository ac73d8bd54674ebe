"""Knows problem documents (RFC 9457): each refusal has this shape and repeats nothing sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from ussdapp.ports import Unavailable
from ussdapp.wire.http import BadRequest

DETAILS: Mapping[int, str] = {
    400: "The request cannot be read.",
    404: "There is nothing here.",
    405: "This address does not take that method.",
    413: "The body is larger than is taken here.",
    500: "We could not do it, and have noted it.",
    503: "Nothing was kept: try again.",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `message` does not repeat its value."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """A refusal with its status and one sentence; `more` are members of its own (section 3.2)."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def json_reply(
    status: int, members: Mapping[str, Any], content_type: str = "application/json"
) -> Response:
    """A JSON answer in UTF-8; the same members give the same bytes."""
    return Response(_octets(members), status, content_type=content_type)


def _octets(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def document(problem: Problem) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status line, headers and octets of a problem; `type` is about:blank, for the status says
    what kind it is."""
    phrase = HTTPStatus(problem.status).phrase
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        members["errors"] = [
            {"field": one.field, "code": one.code, "message": one.message} for one in problem.errors
        ]
    members |= problem.more
    headers = [("Content-Type", "application/problem+json"), *problem.headers.items()]
    return f"{problem.status} {phrase}", headers, _octets(members)


def problem_reply(problem: Problem) -> Response:
    """The same for Flask."""
    status, headers, octets = document(problem)
    return Response(octets, status, headers)


def answer_problems(app: Flask) -> None:
    """Makes the app answer every error with a problem document."""
    app.register_error_handler(Problem, problem_reply)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(BadRequest, _bad_request)
    app.register_error_handler(Unavailable, _unavailable)


def _http(trouble: HTTPException) -> Response:
    status = trouble.code or 500
    detail = DETAILS.get(status, DETAILS[400])
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and request.max_content_length:
        detail = f"The body is larger than the {request.max_content_length:,} octets taken here."
    allow = [value for name, value in trouble.get_headers() if name == "Allow"]
    headers = {"Allow": allow[0]} if allow else {}
    return problem_reply(Problem(status, detail, headers=headers))


def _bad_request(trouble: BadRequest) -> Response:
    error = FieldError(trouble.code, "unreadable", trouble.detail)
    return problem_reply(Problem(400, DETAILS[400], [error]))


def _unavailable(_trouble: Unavailable) -> Response:
    return problem_reply(Problem(503, DETAILS[503], headers={"Retry-After": "5"}))
