"""Webhooks on the command line."""

import json
from pathlib import Path

import pytest

from tests.fakes.home import run
from tests.fakes.served import now, served
from tests.workers.webhooks import open_case, put


@pytest.fixture
def home(home: Path, database_url: str, redis_url: str) -> Path:
    with served(database_url, redis_url) as world:
        put(world, 9, name="main")
        put(world, 9, "gepg-test", name="jaribu", events=["notification.final"])
        open_case(world)
        world.query("UPDATE webhooks SET off_at = %s, detail = 'answered 410' WHERE NOT live"
                    " RETURNING 1", now())  # fmt: skip
    return home


def listed(home: Path, *words: str) -> list[dict[str, object]]:
    done = run(home, "webhooks", "list", *words, "--json")
    assert done.exit_code == 0, done.output
    assert "127.0.0.1" not in done.stdout
    return list(json.loads(done.stdout))


def test_webhooks_are_listed_without_where_they_lead(home: Path) -> None:
    test, live = sorted(listed(home), key=lambda one: str(one["name"]))
    assert (test["institution"], test["live"], test["on"], test["detail"]) == (
        "gepg", False, False, "answered 410",
    )  # fmt: skip
    assert (live["institution"], live["on"], live["waiting"]) == ("ega", True, 1)


def test_only_those_of_an_institution_are_listed_when_it_is_named(home: Path) -> None:
    assert [one["name"] for one in listed(home, "EGA")] == ["main"]
