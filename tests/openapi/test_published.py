"""What institutions were told of the API stays so: what is published is only ever added to."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.openapi.published import PUBLISHED, now, taken_away

BULK = ("components", "schemas", "BulkBody")
SHOWN = ("components", "schemas", "NotificationShown")
POST = ("paths", "/api/v1/bulks", "post")
LIST = ("paths", "/api/v1/notifications", "get", "parameters")


def test_nothing_that_was_published_is_taken_away() -> None:
    """When it fails and the change is meant to break clients, think again: CONTRACT only adds."""
    lost = taken_away(json.loads(PUBLISHED.read_text()), now())
    assert lost == []


def at(document: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        document = document[name]
    return document


def gone(*place: str) -> Callable[[Any], None]:
    return lambda document: at(document, place[:-1]).pop(place[-1])


def put(*place: str, to: Any) -> Callable[[Any], None]:
    return lambda document: at(document, place[:-1]).__setitem__(place[-1], to)


BREAKS: dict[str, Callable[[Any], None]] = {
    "a path is gone": gone("paths", "/api/v1/bulks/{number}/stop"),
    "an operation is gone": gone("paths", "/api/v1/notifications", "get"),
    "a response is gone": gone(*POST, "responses", "409"),
    "a header of a response is gone": gone(*POST, "responses", "429", "headers", "Retry-After"),
    "a media type is gone": gone(*POST, "requestBody", "content", "multipart/form-data"),
    "a query parameter is gone": lambda document: at(document, LIST).pop(0),
    "a query parameter is required": lambda document: at(document, LIST)[0].update(required=True),
    "another scope is needed": put(*POST, "description", to="Scope: `bulks:read`."),
    "another operationId": put(*POST, "operationId", to="post_bulk"),
    "a request member is gone": gone(*BULK, "properties", "name"),
    "a request member is required": lambda document: at(document, BULK)["required"].append("class"),
    "a request value is refused": lambda document: at(document, BULK)["properties"]["class"][
        "enum"
    ].remove("urgent"),
    "a text may be less long": put(*BULK, "properties", "name", "maxLength", to=16),
    "a text has another pattern": put(*BULK, "properties", "name", "pattern", to="^[a-z]+$"),
    "null is no longer taken": put(*BULK, "properties", "send_at", to={"type": "string"}),
    "a member of an answer is gone": gone(*SHOWN, "properties", "why"),
    "a member of an answer is not always there": lambda document: at(document, SHOWN)[
        "required"
    ].remove("why"),
    "a value is never answered": lambda document: at(document, SHOWN)["properties"]["status"][
        "enum"
    ].remove("in_doubt"),
    "an answer's member may be null": put(
        *SHOWN, "properties", "why", to={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "an answer's member has another type": put(
        *SHOWN, "properties", "parts", to={"type": "string"}
    ),
}
ADDS: dict[str, Callable[[Any], None]] = {
    "a path": lambda document: document["paths"].update(
        {"/api/v1/new": {"get": {"operationId": "get_new"}}}
    ),
    "a response": put(*POST, "responses", "410", to={"description": "Gone", "content": {}}),
    "an optional request member": put(*BULK, "properties", "more", to={"type": "string"}),
    "a member of an answer": put(*SHOWN, "properties", "more", to={"type": "string"}),
    "a value that is answered": lambda document: at(document, SHOWN)["properties"]["status"][
        "enum"
    ].append("paused"),
    "a longer text": put(*BULK, "properties", "text", "maxLength", to=10_000),
    "a description": put(*POST, "summary", to="Send them"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_a_client_is_named(name: str) -> None:
    old = now()
    new = copy.deepcopy(old)
    BREAKS[name](new)
    assert taken_away(old, new) != []


@pytest.mark.parametrize("name", ADDS)
def test_what_is_added_breaks_nobody(name: str) -> None:
    old = now()
    new = copy.deepcopy(old)
    ADDS[name](new)
    assert taken_away(old, new) == []
