"""Knows the OpenAPI 3.1 document of the API, made from what the routes declare."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Literal

from flask import Blueprint, Flask, Response, current_app
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from ussdapp.web.api.models import KEY_HEADER, MOST_KEY, Answer
from ussdapp.web.api.operations import FORM, JSON, Operation, Route, routes
from ussdapp.web.api.webhook_events import TOLD
from ussdapp.web.permissions import PUBLIC, permission
from ussdapp.web.problems import json_reply

openapi = Blueprint("openapi", __name__, url_prefix="/api/v1")

PROBLEM: Final = "application/problem+json"
_KEPT: Final = "ussdapp.openapi"
_REF: Final = "#/components/schemas/{model}"
_PARAMETER: Final = re.compile(r"<(?:[^:<>]+:)?([a-z_]+)>")
_AGAIN: Final = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
# headers of problems
_SAID_WITH: Final[Mapping[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}},
    429: _AGAIN,
    503: _AGAIN,
}


class FieldProblem(Answer):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class QuotaShown(Answer):
    """A quota: `left` of `limit` parts, until it begins anew at midnight in Tanzania."""

    period: Literal["day", "month"]
    limit: int
    left: int
    begins: datetime


class ProblemDocument(Answer):
    """A problem document (RFC 9457); it repeats nothing that was sent."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(default_factory=list)
    quota: QuotaShown | None = Field(None, description="Which one refused it; only then.")


@openapi.get("/openapi.json")
@permission(PUBLIC)
def told() -> Response:
    """The API as OpenAPI 3.1."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy's
    kept = app.extensions.setdefault(_KEPT, {})
    if not kept:
        kept.update(document(app))
    return json_reply(200, kept)


def document(app: Flask) -> dict[str, Any]:
    """The whole OpenAPI document of the app."""
    found = list(routes(app))
    paths: dict[str, dict[str, Any]] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ussdapp",
            "version": "1",
            "description": "What institutions call. Errors are problem documents (RFC 9457).",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "webhooks": {kind: {"post": _told(kind, model)} for kind, model in TOLD.items()},
        "components": {
            "schemas": _schemas(found),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _told(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    """What we post, signed after Standard Webhooks 1.0.0."""
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "operationId": f"told_{kind.replace('.', '_')}",
        "summary": kind,
        "description": model.__doc__,
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in headers
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": _ref(model)}}},
        "responses": {
            "2XX": {"description": "You have it."},
            "410": {"description": "You want no more: the webhook is switched off."},
            "default": {"description": "It is posted again, for 72 hours."},
        },
    }


def _schemas(found: list[Route]) -> dict[str, Any]:
    taken = {model for route in found for model in route.operation.bodies.values()}
    given: set[type[BaseModel]] = {
        model
        for route in found
        for model in route.operation.answers.values()
        if not isinstance(model, str | None)
    }
    _, made = models_json_schema(
        [(model, "validation") for model in sorted(taken, key=_name)]
        + [(model, "serialization") for model in sorted(given | {ProblemDocument}, key=_name)]
        + [(model, "serialization") for model in TOLD.values()],
        ref_template=_REF,
    )
    schemas: dict[str, Any] = made["$defs"]
    for model in {one for route in found for one in _forms(route)}:
        _without_nulls(schemas[model])
    # an answer without fields at fault has no errors
    schemas["ProblemDocument"]["required"] = ["type", "title", "status", "detail"]
    return schemas


def _forms(route: Route) -> Iterator[str]:
    bodies = route.operation.bodies.items()
    return (model.__name__ for media, model in bodies if media == FORM)


def _without_nulls(form: dict[str, Any]) -> None:
    """A form has no null: what is not given is left out."""
    form["properties"] = {
        name: _without_null(member) for name, member in form["properties"].items()
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(route: Route) -> dict[str, Any]:
    said = route.operation
    told: dict[str, Any] = {
        "operationId": _identity(route),
        "summary": said.summary,
        "description": f"{route.description} Scope: `{route.scope}`.",
        "parameters": [*_path(route), *_query(said), *_headers(said)],
        "responses": _answers(route),
    }
    if said.bodies:
        told["requestBody"] = {
            "required": not said.bodiless,
            "content": {
                media: {"schema": _ref(model)} | _shown(said, media)
                for media, model in said.bodies.items()
            },
        }
    return told


def _shown(said: Operation, media: str) -> dict[str, Any]:
    if media == JSON and said.example:
        return {"example": dict(said.example)}
    if media == FORM and said.form:
        # a file is read by what its name ends with
        spelt = f'form-data; name="file"; filename="{said.form.name}"'
        named = {"schema": {"type": "string"}, "example": spelt}
        return {"encoding": {"file": {"headers": {"Content-Disposition": named}}}}
    return {}


def _identity(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _path(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.operation.path.get(name, ""),
            "schema": {"type": "string"},
        }
        for name in re.findall(r"\{([a-z_]+)\}", route.path)
    ]


def _query(said: Operation) -> Iterator[dict[str, Any]]:
    if said.query is None:
        return
    schema = said.query.model_json_schema()
    for name, member in schema["properties"].items():
        # "or null" means that it may be left out, which a query says otherwise
        bare = _without_null(member)
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": bare.pop("description", ""),
            "schema": bare,
        }


def _without_null(member: dict[str, Any]) -> dict[str, Any]:
    bare = {key: value for key, value in member.items() if key not in ("anyOf", "default", "title")}
    for option in member.get("anyOf", ()):
        if option != {"type": "null"}:
            bare |= option
    if member.get("default") is not None:
        bare["default"] = member["default"]
    return bare


def _headers(said: Operation) -> list[dict[str, Any]]:
    if not said.idempotent:
        return []
    schema = {"type": "string", "minLength": 1, "maxLength": MOST_KEY, "pattern": "^[ -~]+$"}
    about = "The same key and body again are answered with the first answer."
    return [
        {
            "name": KEY_HEADER,
            "in": "header",
            "required": False,
            "description": about,
            "schema": schema,
        }
    ]


def _answers(route: Route) -> dict[str, Any]:
    said = route.operation
    answers: dict[str, Any] = {}
    for status, model in said.answers.items():
        answers[str(status)] = {"description": HTTPStatus(status).phrase, **_content(model)}
    for status in sorted(_problems(route)):
        answers[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM: {"schema": _ref(ProblemDocument)}},
        }
        if status in _SAID_WITH:
            answers[str(status)]["headers"] = _SAID_WITH[status]
    return answers


def _content(model: type[BaseModel] | str | None) -> dict[str, Any]:
    if model is None:
        return {}
    if isinstance(model, str):
        return {"content": {model: {"schema": {"type": "string"}}}}
    return {"content": {JSON: {"schema": _ref(model)}}}


def _problems(route: Route) -> set[int]:
    said = route.operation
    always = {401, 403, 429, 503} if route.scope != PUBLIC else set()
    body = {400, 413, 415, 422} if said.bodies else set()
    query = {422} if said.query or said.idempotent else set()
    path = {404} if "{" in route.path else set()
    same_key = {409} if said.idempotent else set()
    return always | body | query | path | same_key | set(said.problems)


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
