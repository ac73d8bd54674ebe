"""What an institution used and what it cost, as its systems ask for it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.served import ASHA, Served, now, served_by, settings
from ussdapp.core.quiet import eat_day

PATH = "/api/v1/usage"


@pytest.fixture
def world(database_url: str, redis_url: str) -> Iterator[Served]:
    given = settings(database_url, redis_url)
    channel = replace(given.channels["sandbox"], price_tzs=Decimal("12.5"))
    with served_by(replace(given, channels={"sandbox": channel})) as made:
        yield made


def used(world: Served, by: str = "ega-live", query: str = "") -> dict[str, Any]:
    answer = world.ask("GET", PATH + query, by)
    assert answer.status_code == 200, answer.data
    told: dict[str, Any] = answer.get_json()
    return told


def test_what_was_sent_is_told_with_its_cost_and_tried_things_apart(world: Served) -> None:
    world.query("UPDATE institutions SET quota_day = 10 RETURNING 1")
    for by in ("ega-live", "ega-test"):
        body = {"to": ASHA, "text": "Habari"}
        assert world.ask("POST", "/api/v1/notifications", by, json=body).status_code == 202
    world.query("""UPDATE notifications SET status = 'delivered', copies = 1
        WHERE channel = 'sandbox' RETURNING 1""")
    world.gateway.usage.count(now())
    told = used(world)
    today = eat_day(now()).isoformat()
    assert told["facts"] == [{
        "day": today, "class": "transaction", "channel": "sandbox", "status": "delivered",
        "notifications": 1, "parts": 1, "taken": 1, "cost_tzs": 12.5,
    }]  # fmt: skip
    assert told["total"] == {"notifications": 1, "parts": 1, "taken": 1, "cost_tzs": 12.5}
    assert [one["channel"] for one in told["simulated"]] == ["simulated"]
    assert (told["from"], told["to"], told["quotas"][0]["left"]) == (today, today, 9)
    assert used(world, "ega-test")["facts"] == used(world, "gepg-live")["facts"] == []
    assert len(used(world, "ega-test")["simulated"]) == 1


@pytest.mark.parametrize(
    "query", ["?from=2026-11-20&to=2026-11-19", "?from=2026-01-01&to=2026-11-19", "?to=yesterday"]
)
def test_days_that_cannot_be_told_are_refused(world: Served, query: str) -> None:
    assert world.ask("GET", PATH + query).status_code == 422


def test_a_bulk_and_its_preview_tell_what_it_costs(world: Served) -> None:
    given = [{"to": ASHA}, {"to": "255700000000"}, {"to": "12"}]
    body = {"name": "Bili", "text": "x" * 161, "recipients": given}
    number = world.ask("POST", "/api/v1/bulks", json=body).get_json()["id"]
    rows, importing = world.gateway.importing()
    while importing(now()):
        pass
    importing.give_back()
    rows.close()
    shown = world.ask("GET", f"/api/v1/bulks/{number}").get_json()
    assert (shown["parts"], shown["cost_tzs"]) == (4, 25.0)
    preview = world.ask("GET", f"/api/v1/bulks/{number}/preview").get_json()
    assert (len(preview["rows"]), preview["parts"], preview["cost_tzs"]) == (2, 4, 25.0)
