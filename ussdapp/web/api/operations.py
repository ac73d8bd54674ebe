"""Knows what a route declares that it takes and answers, by the models that validate: the document
and the docs page are made of it.

A route registers itself with a decorator, above `permission` or below it:

    @bulks.post("")
    @permission(scope("bulks:send"))
    @documented(
        Operation(
            "Send many notifications",
            bodies={"application/json": BulkBody, "multipart/form-data": BulkForm},
            query=None,  # or a Query
            answers={202: BulkAnswer},  # or a media type, or None where there is no body
            problems=(409,),  # beyond those that follow from what is said here
            idempotent=True,  # takes an Idempotency-Key
            example={"name": "...", ...},  # a body, for the curl and Python lines of /api/docs
            form=Example({"name": "..."}, "rows.csv", "to,..."),  # the same of a form
        )
    )

What every operation has (401, 403, 429, 503; 400, 413, 415, 422 with a body; 404 with a path
parameter) is added by `openapi`. An /api route without it is in no document, and a test names it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from ussdapp.web.permissions import permission_of

JSON: Final = "application/json"
FORM: Final = "multipart/form-data"
_PARAMETER: Final = re.compile(r"<(?:[^:<>]+:)?([a-z_]+)>")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Example:
    """A form as it may be sent: its fields, and a file of that name that holds that text."""

    fields: Mapping[str, str]
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route takes and answers. `example` is a body of JSON, `form` one with a file;
    `path` describes its path parameters."""

    summary: str
    answers: Mapping[int, type[BaseModel] | str | None]
    bodies: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    query: type[BaseModel] | None = None
    problems: tuple[int, ...] = ()
    idempotent: bool = False
    bodiless: bool = False  # it may come without a body
    example: Mapping[str, Any] | None = None
    form: Example | None = None
    path: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A documented operation and where it is; `scope` is what a key needs for it."""

    method: str
    path: str
    scope: str
    operation: Operation
    description: str


def documented(operation: Operation) -> Callable[[View], View]:
    """Declares what a view takes and answers."""

    def declare(view: View) -> View:
        view.operation = operation  # type: ignore[attr-defined]  # functions take attributes
        return view

    return declare


def routes(app: Flask) -> Iterator[Route]:
    """The documented operations of the app, by path."""
    with app.app_context():
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
            view = app.view_functions[rule.endpoint]
            operation = getattr(view, "operation", None)
            if operation is not None:
                yield from _routes(rule, operation, " ".join((view.__doc__ or "").split()))


def _routes(rule: Rule, operation: Operation, description: str) -> Iterator[Route]:
    needed = (permission_of(rule.endpoint) or "").removeprefix("scope:")
    path = _PARAMETER.sub(r"{\1}", rule.rule)
    for method in _METHODS:
        if method in (rule.methods or ()):
            yield Route(method, path, needed, operation, description)
