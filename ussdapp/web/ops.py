"""Knows the two questions of those who run the gateway: does it live, can it serve."""

from flask import Blueprint, Response

from ussdapp.web.permissions import PUBLIC, permission
from ussdapp.web.problems import json_reply
from ussdapp.web.serving import serving

ops = Blueprint("ops", __name__)


@ops.get("/healthz")
@permission(PUBLIC)
def healthz() -> Response:
    """The process lives; it asks no neighbour."""
    return json_reply(200, {"status": "alive"})


@ops.get("/readyz")
@permission(PUBLIC)
def readyz() -> Response:
    """200 when it can serve, else 503 and the names of what is missing."""
    missing = serving().gateway.readiness()
    if missing:
        return json_reply(503, {"status": "not ready", "missing": missing})
    return json_reply(200, {"status": "ready"})
