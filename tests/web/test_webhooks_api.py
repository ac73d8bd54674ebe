from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.served import Served, now, served_by, settings
from tests.wire.hostile import HOSTILE_URLS
from ussdapp.core.webhook import MOST_WEBHOOKS, OVERLAP
from ussdapp.stores.seal import Seal
from ussdapp.stores.webhooks import SECRET, good_secrets

URL = "https://mfumo.ega.go.tz/ussd?token=siri"
EVENTS = ["notification.final", "case.opened"]
PATH = "/api/v1/webhooks/main"


@pytest.fixture
def outside(database_url: str, redis_url: str) -> Iterator[Served]:
    """A gateway that is no sandbox."""
    given = settings(database_url, redis_url)
    offices = {
        name: {**office, "url": "https://ofisi.go.tz/"}
        for name, office in given.back_offices.items()
    }
    with served_by(replace(given, sandbox=False, back_offices=offices)) as made:
        yield made


def put(world: Served, by: str = "ega-live", path: str = PATH, **more: Any) -> Any:
    return world.ask("PUT", path, by, json={"url": URL, "events": EVENTS} | more)


def test_a_webhook_is_made_and_its_secret_shown_once(world: Served) -> None:
    made = put(world)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    body = made.get_json()
    assert body["secret"].startswith("whsec_")
    assert (body["name"], body["url"], body["events"], body["status"]) == (
        "main", URL, EVENTS, "on",
    )  # fmt: skip
    shown = [world.ask("GET", PATH), world.ask("GET", "/api/v1/webhooks"), put(world)]
    assert [one.status_code for one in shown] == [200, 200, 200]
    for one in shown:
        assert body["secret"] not in one.get_data(as_text=True)


def test_putting_it_again_changes_it_and_keeps_its_secret(world: Served) -> None:
    put(world)
    before = world.query("SELECT secret_sealed FROM webhooks")
    changed = put(world, url="https://nyingine.ega.go.tz/", events=["sms.received"])
    assert changed.status_code == 200
    assert changed.get_json()["url"] == "https://nyingine.ega.go.tz/"
    assert changed.get_json()["events"] == ["sms.received"]
    assert world.query("SELECT secret_sealed FROM webhooks") == before


def test_neither_url_nor_secret_lies_open_in_the_database_or_the_audit(world: Served) -> None:
    secret = put(world).get_json()["secret"]
    world.ask("POST", f"{PATH}/secret")
    for table in ("webhooks", "audit", "deliveries"):
        for (row,) in world.query(f"SELECT to_jsonb(t)::text FROM {table} t"):
            assert secret not in row
            assert "siri" not in row
    actions = [row[0] for row in world.query("SELECT action FROM audit ORDER BY id")]
    assert actions[-2:] == ["webhook.made", "webhook.secret_changed"]


def test_while_a_secret_is_exchanged_both_sign_and_after_a_week_the_new_one(world: Served) -> None:
    first = put(world).get_json()["secret"]
    answer = world.ask("POST", f"{PATH}/secret")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    second = answer.get_json()["secret"]
    opened = Seal(bytes(range(32)), bytes(range(32, 64))).opener(SECRET)
    query = "SELECT secret_sealed, former_sealed, rotated_at FROM webhooks"
    (row,) = world.query(query)
    assert good_secrets(opened, row, now()) == (second, first)
    assert good_secrets(opened, row, now() + OVERLAP + timedelta(seconds=1)) == (second,)
    third = world.ask("POST", f"{PATH}/secret").get_json()["secret"]
    (row,) = world.query(query)
    assert good_secrets(opened, row, now()) == (third, second)


def test_a_dropped_webhook_is_gone_and_its_name_is_free(world: Served) -> None:
    first = put(world).get_json()["secret"]
    dropped = world.ask("DELETE", PATH)
    assert (dropped.status_code, dropped.data) == (204, b"")
    calls = (("GET", ""), ("DELETE", ""), ("POST", "/secret"), ("POST", "/test"))
    assert {world.ask(method, PATH + more).status_code for method, more in calls} == {404}
    again = put(world)
    assert again.status_code == 201
    assert again.get_json()["secret"] != first


def test_a_test_event_is_queued_and_shown(world: Served) -> None:
    put(world)
    pinged = world.ask("POST", f"{PATH}/test")
    assert pinged.status_code == 202
    (delivery,) = world.ask("GET", PATH).get_json()["deliveries"]
    assert delivery["id"] == pinged.get_json()["id"]
    assert (delivery["type"], delivery["status"], delivery["tries"]) == ("ping", "waiting", 0)
    assert delivery["next_try_at"]


def test_a_live_key_and_a_test_key_have_webhooks_of_their_own(world: Served) -> None:
    put(world, "ega-live")
    assert world.ask("GET", PATH, "ega-test").status_code == 404
    assert put(world, "ega-test").status_code == 201
    assert world.ask("DELETE", PATH, "ega-test").status_code == 204
    assert world.ask("GET", PATH, "ega-live").status_code == 200


def test_there_is_an_end_to_how_many_there_may_be(world: Served) -> None:
    for number in range(MOST_WEBHOOKS):
        assert put(world, path=f"/api/v1/webhooks/w{number}").status_code == 201
    assert put(world, path="/api/v1/webhooks/one-more").status_code == 409
    assert put(world, path="/api/v1/webhooks/w0").status_code == 200
    assert put(world, "gepg-live", "/api/v1/webhooks/w0").status_code == 201


@pytest.mark.parametrize(
    "more",
    [
        {"events": []},
        {"events": ["notification.final", "notification.final"]},
        {"events": ["ping"]},
        {"events": ["*"]},
        {"events": "notification.final"},
        {"url": ""},
        {"url": 5},
        {"url": None},
        {"secret": "whsec_x"},
    ],
)
def test_what_is_no_webhook_is_refused_by_its_field(world: Served, more: dict[str, Any]) -> None:
    refused = put(world, **more)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"].split(".")[0] in more
    assert world.query("SELECT 1 FROM webhooks") == []


@pytest.mark.parametrize("name", ["MAIN", "a b", ".x", "a%00b", "a" * 41, "ñ", "-x", "a%0a"])
def test_a_name_is_plain(world: Served, name: str) -> None:
    assert put(world, path=f"/api/v1/webhooks/{name}").status_code == 422
    assert world.ask("GET", f"/api/v1/webhooks/{name}").status_code == 404


def test_a_hostile_url_is_refused_where_it_is_put_and_not_repeated(outside: Served) -> None:
    for url in HOSTILE_URLS:
        refused = put(outside, url=url)
        assert refused.status_code == 422, url
        assert [one["field"] for one in refused.get_json()["errors"]] == ["url"], url
        if len(url) > 30:
            assert url not in refused.get_data(as_text=True)
    assert outside.query("SELECT 1 FROM webhooks") == []
    assert put(outside).status_code == 201


def test_the_sandbox_takes_a_listener_of_this_machine_and_no_metadata(world: Served) -> None:
    assert put(world, url="http://127.0.0.1:9999/").status_code == 201
    assert put(world, url="http://169.254.169.254/").status_code == 422
