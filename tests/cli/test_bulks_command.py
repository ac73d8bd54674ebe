"""Bulks on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.fakes.bulks import Office, recipients
from ussdapp.cli import main
from ussdapp.stores.database import Database


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    database = Database(database_url)
    made = Office(database, database_url)
    yield made
    made.close()
    database.close()


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Path:
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


def run(home: Path, *words: str) -> Result:
    names = ("USSDAPP_SETTINGS", "DATABASE_URL", "REDIS_URL")
    environ = {**dict.fromkeys(names), "USSDAPP_HOME": str(home)}
    return CliRunner().invoke(main, ["bulks", *words], env=environ)


def test_a_bulk_is_listed_shown_and_stopped(office: Office, home: Path) -> None:
    number = office.send([*recipients(3), {"to": "1"}])
    office.work()
    (listed,) = json.loads(run(home, "list", "ega", "--json").output)
    assert (listed["number"], listed["status"], listed["accepted"]) == (number, "queued", 3)
    (shown,) = json.loads(run(home, "show", str(number), "--json").output)
    assert (shown["queued"], shown["rejected"], shown["rows rejected"]) == (3, 1, 0)
    (stopped,) = json.loads(run(home, "stop", str(number), "--json").output)
    assert (stopped["status"], stopped["stopped"]) == ("stopped", 3)
    assert office.ask("SELECT actor, action FROM audit ORDER BY id DESC LIMIT 1") == [
        ("command line", "bulk.stopped")
    ]


def test_what_is_not_there_is_said(home: Path) -> None:
    assert json.loads(run(home, "list", "--json").output) == []
    refused = run(home, "show", "7")
    assert (refused.exit_code, refused.output) == (1, "Error: there is no bulk 7\n")
