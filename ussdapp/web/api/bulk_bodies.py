"""Knows how a bulk comes: in JSON with its recipients, or in a form with a file."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import IO, Any, Final

from werkzeug.exceptions import RequestEntityTooLarge

from ussdapp.core.bulk import AskedBulk
from ussdapp.core.notification import Class
from ussdapp.web.api.bodies import read_members
from ussdapp.web.api.bulk_models import BulkBody, BulkFields, BulkForm
from ussdapp.web.api.models import at_fault, checked
from ussdapp.web.api.operations import FORM, JSON
from ussdapp.web.problems import Problem
from ussdapp.web.serving import asked
from ussdapp.wire.tables import MOST_OCTETS

_MOST_JSON: Final = 16 * 1024 * 1024  # octets
_MOST_FORM: Final = MOST_OCTETS + 64 * 1024


def read_json(key: str | None) -> tuple[AskedBulk, Sequence[Any]]:
    """The bulk and its recipients, under that idempotency key; raises Problem."""
    octets = _octets()
    body = checked(BulkBody, read_members(octets))
    asks = _asks(body, key, sha256(octets).hexdigest(), repeats=body.repeats)
    return asks, body.recipients


def read_form(key: str | None) -> tuple[AskedBulk, str, IO[bytes]]:
    """The bulk, and the name and the octets of its file; raises Problem."""
    request = asked()
    request.max_content_length = _MOST_FORM
    request.max_form_parts = 20
    if not (request.form or request.files):  # what is no form is read as an empty one
        raise Problem(400, "The form cannot be read: are its boundary and its end there?")
    files = request.files.getlist("file")
    if "file" in request.form:
        raise at_fault("file", "no_file", "It is sent as a text: give it a name, as files have.")
    if len(files) > 1 or any(len(values) > 1 for _, values in request.form.lists()):
        raise at_fault("file", "twice", "Give one file, and each field once.")
    members: dict[str, Any] = request.form.to_dict()
    given = {"values": _spelt_out(members["values"])} if "values" in members else {}
    form = checked(BulkForm, members | given | request.files.to_dict())
    spelt = json.dumps(sorted(members.items()))
    body = sha256(spelt.encode("utf-8", "replace")).hexdigest()
    asks = _asks(form, key, body, repeats=form.repeats == "true")
    name = (form.file.filename or "")[-100:]
    return asks, name, form.file.stream


def _spelt_out(values: str) -> Any:
    try:
        return json.loads(values)
    except (ValueError, RecursionError):
        raise at_fault("values", "unreadable", "Spell the values as a JSON object.") from None


def _octets() -> bytes:
    request = asked()
    if request.mimetype != JSON:
        raise Problem(415, f"The body must be {JSON} or {FORM}.")
    request.max_content_length = _MOST_JSON
    octets = request.get_data(cache=False)
    # Werkzeug refuses by Content-Length, but cuts a chunked body short without a word
    if request.content_length is None and len(octets) >= _MOST_JSON:
        raise RequestEntityTooLarge
    return octets


def _asks(body: BulkFields, key: str | None, digest: str, *, repeats: bool) -> AskedBulk:
    return AskedBulk(
        name=body.name,
        text=body.text or "",
        klass=Class(body.klass),
        key=key,
        body=digest,
        sender_id=body.sender_id,
        send_at=body.send_at,
        repeats=repeats,
        template=body.use,
    )
