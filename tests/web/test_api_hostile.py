"""Whatever is sent to whichever operation, it is answered with a status that is documented, and no
5xx."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from tests.fakes.served import Served
from ussdapp.web.api.openapi import document
from ussdapp.web.api.operations import Route, routes

ODD = ["255754000001", "Habari", "urgent", "2026-11-22T10:00:00Z", "2026-02-30T10:00:00+99:00",
       "15200", "\ud800", "\x00", "9" * 400]  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
    | st.text(max_size=30) | st.sampled_from(ODD)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
PIECES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=40
).filter(lambda piece: piece not in {".", ".."})
TYPES = [*["application/json"] * 4, "text/plain", "multipart/form-data", ""]
HEADER = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=300)


def bodies(route: Route) -> st.SearchStrategy[Any]:
    """The example with some members changed, left out or added, and anything at all."""
    example = dict(route.operation.example or {})
    changed = st.dictionaries(st.sampled_from([*example, "zz"]), VALUES, max_size=3)
    return changed.map(lambda more: {**example, **more}) | VALUES


def assert_documented(world: Served, told: dict[str, Any], route: Route, **sent: Any) -> None:
    path = sent.pop("path", route.path)
    answer = world.ask(route.method, path, sent.pop("by", "ega-test"), **sent)
    operation = told["paths"][route.path][route.method.lower()]
    assert str(answer.status_code) in operation["responses"], (route.path, answer.data[:200])
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.data)["status"] == answer.status_code


def whatever(route: Route, draw: Any) -> dict[str, Any]:
    """A request of that route which nobody vouches for."""
    sent: dict[str, Any] = {"by": draw(st.sampled_from(["ega-test", "ega-live", "gepg-live"]))}
    if "{" in route.path:
        before, _, behind = route.path.partition("{")
        sent["path"] = before + quote(draw(PIECES), safe="") + behind.partition("}")[2]
    if route.operation.query is not None:
        names = [*route.operation.query.model_json_schema()["properties"], "zz"]
        asked = st.dictionaries(st.sampled_from(names), st.text(max_size=70), max_size=3)
        sent["query_string"] = draw(asked)
    if route.operation.bodies:
        octets = json.dumps(draw(bodies(route))).encode()
        sent["data"] = octets[: draw(st.sampled_from([None, None, None, 5, -1]))]
        sent["content_type"] = draw(st.sampled_from(TYPES))
    if route.operation.idempotent:
        sent["headers"] = {"Idempotency-Key": draw(HEADER)}
    return sent


@settings(max_examples=examples(100), suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_no_body_path_query_or_header_breaks_an_operation(world: Served, data: Any) -> None:
    told = document(world.app)
    for route in routes(world.app):
        assert_documented(world, told, route, **whatever(route, data.draw))
