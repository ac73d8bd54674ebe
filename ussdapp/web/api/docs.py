"""Knows how the API is shown to people: one page, made from what `openapi.json` is made from, with
lines of curl and of Python for each operation. No script runs on it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, render_template_string, request
from pydantic import BaseModel

from ussdapp.core.keys import SCOPES
from ussdapp.web.api.examples import curls, pythons
from ussdapp.web.api.openapi import document
from ussdapp.web.api.operations import Route, routes
from ussdapp.web.api.webhook_events import TOLD
from ussdapp.web.permissions import PUBLIC, permission

docs = Blueprint("docs", __name__)

_PAGE: Final = Path(__file__).with_name("docs.html").read_text("utf-8")
_STYLE: Final = Path(__file__).with_name("docs.css").read_text("utf-8")
# without its first line, which is for us
_VERIFYING: Final = Path(__file__).with_name("verified.py").read_text("utf-8").partition("\n\n")[2]
_REF: Final = re.compile(r'"#/components/schemas/(\w+)"')
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

_Field = tuple[str, str, bool, str]  # name, type, whether it is needed, what it is

# what a client adds to its request; a test runs it as it stands
SIGNING: Final = """
import hashlib, hmac, secrets, time

def signed(method, target, body, secret):
    timestamp, nonce = str(int(time.time())), secrets.token_urlsafe(16)
    lines = ["v1", method, target, timestamp, nonce, hashlib.sha256(body).hexdigest()]
    code = hmac.new(secret.encode(), "\\n".join(lines).encode(), "sha256").hexdigest()
    return {
        "Ussdapp-Timestamp": timestamp,
        "Ussdapp-Nonce": nonce,
        "Ussdapp-Signature": "v1=" + code,
    }
""".strip()


@docs.get("/api/docs")
@permission(PUBLIC)
def page() -> Response:
    """The documentation, in English, for those who write institutions' systems."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy's
    schemas = document(app)["components"]["schemas"]
    shown = [_shown(route, schemas, request.host_url.rstrip("/")) for route in routes(app)]
    told = [(kind, list(_fields(schemas[_facts(model)]))) for kind, model in TOLD.items()]
    html = render_template_string(
        _PAGE, operations=shown, scopes=SCOPES, signing=SIGNING, told=told, verifying=_VERIFYING
    )
    return Response(html, headers={"Content-Security-Policy": _POLICY}, mimetype="text/html")


@docs.get("/api/docs.css")
@permission(PUBLIC)
def style() -> Response:
    """How it looks."""
    return Response(_STYLE, mimetype="text/css")


def _facts(model: type[BaseModel]) -> str:
    """The name of the model of an event's `data`."""
    return str(getattr(model.model_fields["data"].annotation, "__name__", ""))


def _shown(route: Route, schemas: Mapping[str, Any], url: str) -> dict[str, Any]:
    operation = route.operation
    bodies = [model.__name__ for model in operation.bodies.values()]
    answers = {
        status: model.__name__ if isinstance(model, type) else model or ""
        for status, model in operation.answers.items()
    }
    query = operation.query.model_json_schema() if operation.query else None
    return {
        "route": route,
        "bodies": [_model(name, schemas) for name in bodies],
        "query": list(_fields(query)) if query else [],
        "answers": [(status, *_model(name, schemas)) for status, name in answers.items()],
        "within": [
            _model(name, schemas) for name in _within([*bodies, *answers.values()], schemas)
        ],
        "file": operation.form,
        "curls": curls(route, url, "$KEY"),
        "pythons": pythons(route, url, "..."),
    }


def _model(name: str, schemas: Mapping[str, Any]) -> tuple[str, str, list[_Field]]:
    """Its name, what it is and its fields; what is no model has a name alone."""
    schema = schemas.get(name, {})
    return name, schema.get("description", ""), list(_fields(schema))


def _within(names: Sequence[str], schemas: Mapping[str, Any]) -> list[str]:
    """The models that stand in the fields of these, each once."""
    found = list(dict.fromkeys(names))
    for name in found:  # it grows as we go
        refs = _REF.findall(json.dumps(schemas.get(name, {})))
        found.extend(ref for ref in dict.fromkeys(refs) if ref not in found)
    return found[len(set(names)) :]


def _fields(schema: Mapping[str, Any]) -> Iterator[_Field]:
    """Name, type, whether it is needed, and what it is."""
    needed = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield name, _type(member), name in needed, _about(member)


def _type(member: Mapping[str, Any]) -> str:
    if "enum" in member:
        return " | ".join(map(str, member["enum"]))
    if "anyOf" in member:
        return " | ".join(_type(one) for one in member["anyOf"])
    if "$ref" in member:
        return str(member["$ref"]).rsplit("/", 1)[-1]
    if member.get("type") == "array":
        return f"list of {_type(member.get('items', {}))}"
    return str(member.get("format") or member.get("const") or member.get("type", "any"))


def _about(member: Mapping[str, Any]) -> str:
    found = (one.get("description") for one in (member, *member.get("anyOf", ())))
    return next((about for about in found if about), "")
