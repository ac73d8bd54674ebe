"""Every route of the API with another institution's key, and with keys that lack its scope: nothing
of an institution is read or changed. The table is the app's own url map."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.owned import BRANCH, WORDS, ega_has_everything, filled
from tests.fakes.served import ASHA, Served, now
from ussdapp.core.keys import KeyRequest
from ussdapp.web.api.operations import Route, routes

# what a read may note, which is nobody's business but the reader's
NOTED = {"keys": {"last_used_at"}}
# an institution chooses these names itself: with another's key it is another thing
OWN_NAMES = {("PUT", "/api/v1/webhooks/{name}"), ("PUT", "/api/v1/templates/{name}")}


def rows_of(world: Served) -> dict[str, set[str]]:
    """Every row of every table."""
    tables = world.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {}
    for (table,) in tables:
        bare = "to_jsonb(t)" + "".join(f" - '{name}'" for name in NOTED.get(table, ()))
        found[table] = {str(row[0]) for row in world.query(f"SELECT {bare}::text FROM {table} t")}
    return found


def call(world: Served, route: Route, path: str, by: str) -> TestResponse:
    example = route.operation.example
    more: dict[str, Any] = {} if example is None else {"json": dict(example)}
    return world.ask(route.method, path, by, **more)


def lost(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """Rows that are no longer as they were."""
    return {table: gone for table in before if (gone := before[table] - after[table])}


def test_nothing_of_an_institution_is_read_or_changed_with_anothers_key(world: Served) -> None:
    owned = ega_has_everything(world)
    # a branch's name is nobody's secret
    telling = [*(one for one in owned.values() if one != BRANCH), ASHA, WORDS]
    found = [one for one in routes(world.app) if (one.method, one.path) not in OWN_NAMES]
    assert len(found) > 10
    for route in found:
        path = filled(route, owned)
        for by in ("gepg-live", "gepg-test", "nida-live"):
            before = rows_of(world)
            answer = call(world, route, path, by)
            after = rows_of(world)
            assert lost(before, after) == {}, (route.method, path, by)
            if path != route.path:
                assert answer.status_code in (403, 404), (route.method, path, by)
                assert after == before, (route.method, path, by)
            text = answer.get_data(as_text=True)
            assert not [one for one in telling if one in text], (path, by, text)


@pytest.mark.parametrize("by", ["gepg-live", "gepg-test", "nida-live"])
def test_what_a_bulk_sent_is_listed_to_nobody_else(world: Served, by: str) -> None:
    bulk = ega_has_everything(world)["/api/v1/bulks"]
    path = "/api/v1/notifications?bulk="
    theirs, nothing = (world.ask("GET", f"{path}{one}", by) for one in (bulk, "nothing"))
    assert theirs.status_code in (403, 404)
    assert theirs.data == nothing.data


@pytest.mark.parametrize(("method", "path"), sorted(OWN_NAMES))
def test_a_name_of_ones_own_is_another_thing_than_anothers(
    world: Served, method: str, path: str
) -> None:
    owned = ega_has_everything(world)
    (route,) = (one for one in routes(world.app) if (one.method, one.path) == (method, path))
    for by in ("gepg-live", "ega-test"):
        before = rows_of(world)
        answer = call(world, route, filled(route, owned), by)
        assert answer.status_code in (200, 201)  # a test key only has a template checked
        assert lost(before, rows_of(world)) == {}
        assert WORDS not in answer.get_data(as_text=True)


def test_what_another_is_told_of_ones_own_is_what_is_told_of_nothing(world: Served) -> None:
    owned = ega_has_everything(world)
    none = dict.fromkeys(owned, "nothing")
    for route in routes(world.app):
        if "{" in route.path and (route.method, route.path) not in OWN_NAMES:
            theirs, nothing = (
                call(world, route, filled(route, names), "gepg-live") for names in (owned, none)
            )
            assert (theirs.status_code, theirs.data) == (nothing.status_code, nothing.data), (
                route.path
            )


def test_who_handed_a_case_on_is_told_of_it_what_is_told_of_nothing(world: Served) -> None:
    owned = ega_has_everything(world)
    moved = {"institution": "nida", "reason": WORDS}
    assert world.ask("POST", f"/api/v1/cases/{owned['/api/v1/cases']}/transfer", json=moved).data
    before = rows_of(world)
    for route in routes(world.app):
        if route.path.startswith("/api/v1/cases/"):
            path = filled(route, owned)
            answer = call(world, route, path, "ega-live")
            nothing = call(
                world, route, path.replace(owned["/api/v1/cases"], "nothing"), "ega-live"
            )
            assert (answer.status_code, answer.data) == (404, nothing.data), path
    assert rows_of(world) == before


def test_the_owner_reads_what_the_others_do_not(world: Served) -> None:
    owned = ega_has_everything(world)
    for route in routes(world.app):
        if route.method == "GET":
            answer = call(world, route, filled(route, owned), "ega-live")
            assert answer.status_code == 200, route.path


def test_without_its_scope_no_route_is_used(world: Served) -> None:
    owned = ega_has_everything(world)
    for route in routes(world.app):
        scopes = tuple(name for name in world_scopes(world) if name != route.scope)
        name = re.sub(r"\W", "", f"{route.method}{route.path}")
        world.issue(KeyRequest("ega", name, scopes, per_second=1000), name)
        before = rows_of(world)
        answer = call(world, route, filled(route, owned), name)
        assert answer.status_code == 403, route.path
        assert json.loads(answer.data)["detail"].endswith(f"{route.scope}.")
        assert rows_of(world) == before


# a key, and what each route answers to it
NO_GOOD = {"expired": 401, "revoked": 401, "of another network": 403, "unknown": 401, "none": 401}


@pytest.mark.parametrize("kind", NO_GOOD)
def test_a_key_that_is_no_good_opens_no_route(world: Served, kind: str) -> None:
    owned = ega_has_everything(world)
    give_ega(world, kind)
    before = rows_of(world)
    for route in routes(world.app):
        answer = call(world, route, filled(route, owned), kind)
        assert answer.status_code == NO_GOOD[kind], (route.method, route.path)
        assert answer.mimetype == "application/problem+json"
        assert WORDS not in answer.get_data(as_text=True)
    assert rows_of(world) == before


def give_ega(world: Served, kind: str) -> None:
    """A key of every scope that is no good, by its kind."""
    name = kind.replace(" ", "-")
    request = KeyRequest("ega", name, tuple(world_scopes(world)), per_second=100_000)
    changes: dict[str, Any] = {
        "expired": {"expires_at": now() - timedelta(seconds=1)},
        "of another network": {"networks": ("10.0.0.0/8",)},
    }
    world.issue(replace(request, **changes.get(kind, {})), kind)
    if kind == "revoked":
        world.query("UPDATE keys SET revoked_at = now() WHERE name = %s RETURNING id", name)
    world.keys |= {"unknown": "ussd_live_nobodys", "none": ""}


# a test key reads these as a live one does: there is nothing of a citizen's in them
ALIKE = ("/api/v1/menus/", "/api/v1/templates/")


def test_a_test_key_reaches_nothing_that_is_live(world: Served) -> None:
    owned = ega_has_everything(world)
    for route in routes(world.app):
        path = filled(route, owned)
        if (route.method, route.path) in OWN_NAMES:
            continue
        before = rows_of(world)
        answer = call(world, route, path, "ega-test")
        assert lost(before, rows_of(world)) == {}, (route.method, path)
        assert WORDS not in answer.get_data(as_text=True)
        if path != route.path and not path.startswith(ALIKE):
            assert answer.status_code in (403, 404), (route.method, path)


def world_scopes(world: Served) -> set[str]:
    return {route.scope for route in routes(world.app)}
