"""Webhooks on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fakes.served import now, served
from tests.workers.test_telling import open_case, put
from ussdapp.cli import main


@pytest.fixture
def home(database_url: str, redis_url: str, tmp_path: Path) -> Path:
    with served(database_url, redis_url) as world:
        put(world, 9, name="main")
        put(world, 9, "gepg-test", name="jaribu", events=["notification.final"])
        open_case(world)
        world.query("UPDATE webhooks SET off_at = %s, detail = 'answered 410' WHERE NOT live"
                    " RETURNING 1", now())  # fmt: skip
    words = {
        "database_url": database_url,
        "redis_url": "redis://127.0.0.1:1/0",
        "seal_key": bytes(range(32)).hex(),
        "index_key": bytes(range(32, 64)).hex(),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in words.items()]
    settings = "\n".join((*lines, '[channels.sandbox]\nkind = "smpp"\n'))
    (tmp_path / "settings.toml").write_text(settings)
    return tmp_path


def listed(home: Path, *words: str) -> list[dict[str, object]]:
    names = ("USSDAPP_SETTINGS", "DATABASE_URL", "REDIS_URL")
    environ = {**dict.fromkeys(names), "USSDAPP_HOME": str(home)}
    done = CliRunner().invoke(main, ["webhooks", "list", *words, "--json"], env=environ)
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
