"""Knows how an institution publishes its own branch of the menu. Of any other branch it is told
that there is nothing."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from ussdapp.core.branches import (
    MOST_FILES,
    MOST_OCTETS,
    BranchRefused,
    MenuVersion,
    Publisher,
)
from ussdapp.ports import NoSuchBranch, NoSuchVersion
from ussdapp.web.api.bodies import read_members
from ussdapp.web.api.models import at_fault
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import FieldError, Problem, json_reply
from ussdapp.web.serving import serving

menus = Blueprint("menus", __name__, url_prefix="/api/v1/menus")

SCOPE: Final = scope("menus:publish")
# every octet of a branch may be spelt with six in JSON, but no TOML is
MOST_BODY: Final = 2 * MOST_OCTETS + 256 * MOST_FILES
_DETAIL: Final = "The branch cannot be published."
_NONE: Final = "There is nothing here."


@menus.put("/<branch>")
@permission(SCOPE)
@test_keys_too
def publish(branch: str) -> Response:
    """Publishes the files of the caller's branch as a whole, proven within the whole menu; the
    files that stand already are no new version. A test key proves and publishes nothing."""
    by, parts = _publisher(), serving()
    if not by.owns(branch, parts.gateway.publish_menu.owners):
        raise Problem(404, _NONE)
    changes = {branch: _files(_members())}
    try:
        if not holder().live:
            parts.gateway.publish_menu.check(by, changes)
            return json_reply(200, {"branch": branch, "version": None, "published_at": None})
        (version,) = parts.gateway.publish_menu(by, changes, parts.clock())
    except BranchRefused as refused:
        raise _refused(refused) from None
    except NoSuchBranch:
        raise Problem(404, _NONE) from None
    return json_reply(201, _standing(version))


@menus.get("/<branch>/versions")
@permission(SCOPE)
@test_keys_too
def versions(branch: str) -> Response:
    """What was published of the caller's branch, the newest first."""
    try:
        found = serving().gateway.publish_menu.of(_publisher(), branch)
    except NoSuchBranch:
        raise Problem(404, _NONE) from None
    return json_reply(200, {"branch": branch, "versions": [_members_of(one) for one in found]})


@menus.post("/<branch>/rollback")
@permission(SCOPE)
@test_keys_too
def roll_back(branch: str) -> Response:
    """Lets the version before stand again, or the one that `to` names (0: the files that came
    with the gateway). A test key proves that it could and moves nothing."""
    by, parts = _publisher(), serving()
    if not by.owns(branch, parts.gateway.publish_menu.owners):
        raise Problem(404, _NONE)
    to = _version_named(_members())
    try:
        if not holder().live:
            parts.gateway.publish_menu.check_roll_back(by, branch, to)
            return json_reply(200, {"branch": branch, "version": None, "published_at": None})
        version = parts.gateway.publish_menu.roll_back(by, branch, to, parts.clock())
    except BranchRefused as refused:
        raise _refused(refused) from None
    except NoSuchBranch:
        raise Problem(404, _NONE) from None
    except NoSuchVersion:
        error = FieldError("to", "unknown", "The branch has no such version, or none before.")
        raise Problem(409, "There is no such version to go back to.", [error]) from None
    empty = {"branch": branch, "version": 0, "published_at": None}
    return json_reply(200, _standing(version) if version else empty)


def _publisher() -> Publisher:
    known = holder()
    return Publisher(f"{known.institution}, key {known.key_id}", known.institution)


def _refused(refused: BranchRefused) -> Problem:
    errors = [FieldError(one.file or "files", one.code, one.message) for one in refused.complaints]
    return Problem(422, _DETAIL, errors)


def _standing(version: MenuVersion) -> dict[str, Any]:
    return {
        "branch": version.branch,
        "version": version.id,
        "published_at": version.published_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def _members_of(version: MenuVersion) -> dict[str, Any]:
    more = {"published_by": version.published_by, "current": version.current}
    return {**_standing(version), **more}


def _members() -> dict[str, Any]:
    request.max_content_length = MOST_BODY
    octets = request.get_data(cache=False)
    # a chunked body that is too long is cut short without a word
    if request.content_length is None and len(octets) >= MOST_BODY:
        raise RequestEntityTooLarge
    return read_members(octets) if octets else {}


def _files(members: Mapping[str, Any]) -> Mapping[str, str]:
    errors = list(_file_errors(members))
    if errors:
        raise Problem(422, _DETAIL, errors)
    files: Mapping[str, str] = members["files"]
    return files


def _file_errors(members: Mapping[str, Any]) -> Iterator[FieldError]:
    files = members.get("files")
    if set(members) - {"files"}:
        yield FieldError("?", "unknown", "Only files is taken.")
    if not isinstance(files, dict):
        yield FieldError("files", "required", "Give the files as an object: texts by name.")
    elif not all(isinstance(text, str) for text in files.values()):
        yield FieldError("files", "no_text", "Each file is a text.")


def _version_named(members: Mapping[str, Any]) -> int | None:
    to = members.get("to")
    if set(members) - {"to"} or not (to is None or (type(to) is int and 0 <= to < 2**63)):
        raise at_fault("to", "unreadable", "Give the number of a version, or nothing.")
    return to
