"""Knows how an institution publishes templates, lists them, and lets an older version stand."""

from datetime import UTC
from typing import Final

from flask import Blueprint, Response

from ussdapp.core import notes
from ussdapp.core.placeholders import worded
from ussdapp.core.templates import (
    NAME,
    NoSuchTemplate,
    TemplateRefused,
    TemplateUse,
    TemplateVersion,
    use_of,
)
from ussdapp.ports import NoSuchVersion
from ussdapp.web.api.models import REFUSED, answered, at_fault, read_body
from ussdapp.web.api.operations import JSON, Operation, documented
from ussdapp.web.api.template_models import (
    NoteShown,
    TemplateBody,
    TemplateHistory,
    TemplateRollbackBody,
    Templates,
    TemplateShown,
    TemplateVersionShown,
    noted,
)
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import FieldError, Problem
from ussdapp.web.serving import serving

templates = Blueprint("templates", __name__, url_prefix="/api/v1/templates")

_NONE: Final = "There is no such template of yours."
_PATH: Final = {"name": f"Its name: {NAME}"}
_EXAMPLE: Final = {
    "sw": "Ndugu ((jina)), ombi lako namba ((namba)) limepokelewa.",
    "en": "Dear ((jina)), your request number ((namba)) was received.",
}


@templates.put("/<name>")
@permission(scope("templates:write"))
@test_keys_too
@documented(
    Operation(
        "Publish a template",
        bodies={JSON: TemplateBody},
        answers={200: TemplateShown, 201: TemplateShown},
        path=_PATH,
        example=_EXAMPLE,
    )
)
def publish(name: str) -> Response:
    """Publishes both texts as a version that stands from now on and never changes; what stands
    already is answered with 200. A test key has them checked and publishes nothing."""
    use, body, parts = _named(name), read_body(TemplateBody), serving()
    if use.version is not None:
        raise at_fault("name", "shape", "A name has no version.")
    try:
        version, new = parts.gateway.templates.publish(
            holder(), name, (body.sw, body.en), parts.clock()
        )
    except TemplateRefused as refused:
        errors = [FieldError(one.field, one.code, one.sentence) for one in refused.faults]
        raise Problem(422, REFUSED, errors) from None
    if version is None:
        return answered(200, _checked(name, body))
    return answered(201 if new else 200, _shown(version))


@templates.get("")
@permission(scope("templates:read"))
@test_keys_too
@documented(Operation("List your templates", answers={200: Templates}))
def listed() -> Response:
    """What stands of each, by name."""
    found = serving().gateway.templates.kept.all(holder().institution)
    return answered(200, Templates(templates=[_shown(one) for one in found]))


@templates.get("/<name>")
@permission(scope("templates:read"))
@test_keys_too
@documented(
    Operation(
        "See a template",
        answers={200: TemplateHistory},
        path={"name": "Its name, or a version of it: `name@3`."},
    )
)
def see(name: str) -> Response:
    """A template as it stands, or the version that was named, and when each was published."""
    use, store = _named(name), serving().gateway.templates.kept
    try:
        shown = _shown(store.found(holder().institution, use.name, use.version))
        versions = store.of(holder().institution, use.name)
    except NoSuchTemplate:
        raise Problem(404, _NONE) from None
    history = [
        TemplateVersionShown(
            version=one.version,
            published_at=one.published_at.astimezone(UTC),
            published_by=one.published_by,
            current=one.current,
        )
        for one in versions
    ]
    return answered(200, TemplateHistory(**shown.model_dump(), versions=history))


@templates.post("/<name>/rollback")
@permission(scope("templates:write"))
@documented(
    Operation(
        "Roll a template back",
        bodies={JSON: TemplateRollbackBody},
        answers={200: TemplateShown},
        problems=(409,),
        path=_PATH,
        example={"to": None},
    )
)
def roll_back(name: str) -> Response:
    """Lets the version before stand again, or the one that `to` names."""
    use, body, parts = _named(name), read_body(TemplateRollbackBody), serving()
    try:
        version = parts.gateway.templates.publish.roll_back(
            holder(), use.name, body.to, parts.clock()
        )
    except NoSuchTemplate:
        raise Problem(404, _NONE) from None
    except NoSuchVersion:
        error = FieldError("to", "unknown", "It has no such version, or none before.")
        raise Problem(409, "There is no such version to go back to.", [error]) from None
    return answered(200, _shown(version))


def _named(name: str) -> TemplateUse:
    """What the path names; raises Problem 404 where it can be no template's name."""
    try:
        return use_of(name, {})
    except NoSuchTemplate:
        raise Problem(404, _NONE) from None


def _shown(version: TemplateVersion) -> TemplateShown:
    return TemplateShown(
        name=version.name,
        version=version.version,
        sw=version.sw,
        en=version.en,
        placeholders=list(worded(version.sw).names),
        published_at=version.published_at.astimezone(UTC),
        published_by=version.published_by,
        current=version.current,
        notes=_notes(version.sw, version.en),
    )


def _checked(name: str, body: TemplateBody) -> TemplateShown:
    return TemplateShown(
        name=name,
        version=None,
        sw=body.sw,
        en=body.en,
        placeholders=list(worded(body.sw).names),
        published_at=None,
        published_by=None,
        current=False,
        notes=_notes(body.sw, body.en),
    )


def _notes(sw: str, en: str) -> list[NoteShown]:
    """Of the texts with the shortest values there can be."""
    texts = {"sw": sw, "en": en}
    found = ((name, notes.of(worded(text).least)) for name, text in texts.items())
    return [note for name, told in found for note in noted(name, told)]
