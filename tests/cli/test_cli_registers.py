"""Institutions and keys on the command line, and what it says when something is not there."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.fakes.home import run, written_home


def test_an_institution_is_added_changed_and_listed(home: Path) -> None:
    assert run(home, "institutions", "add", "EGA", "Mamlaka", "Authority").exit_code == 0
    assert run(home, "institutions", "set", "ega", "--name-sw", "Mamlaka ya Mtandao").exit_code == 0
    assert run(home, "institutions", "set", "ega", "--sector", "tehama").exit_code == 0
    heads, _ = run(home, "institutions", "list").output.splitlines()
    assert heads.split() == ["short_name", "name", "sector"]
    listed = json.loads(run(home, "institutions", "list", "--json").output)
    assert listed == [{"short_name": "ega", "name": "Mamlaka ya Mtandao", "sector": "tehama"}]


def test_an_opt_out_is_recorded_listed_without_its_msisdn_and_ended(home: Path) -> None:
    run(home, "institutions", "add", "ega", "Mamlaka", "Authority")
    assert run(home, "opt-outs", "add", "0754000001", "--institution", "EGA").exit_code == 0
    assert run(home, "opt-outs", "add", "255713000002").exit_code == 0
    listed = json.loads(run(home, "opt-outs", "list", "--json").output)
    assert [(one["msisdn"], one["of"], one["learnt"]) for one in listed] == [
        ("25571****002", "all", "person"), ("25575****001", "ega", "person"),
    ]  # fmt: skip
    assert run(home, "opt-outs", "end", "0754000001").exit_code == 0
    (one,) = json.loads(run(home, "opt-outs", "list", "--institution", "ega", "--json").output)
    assert one["until"] is not None
    assert run(home, "opt-outs", "add", "12").exit_code == 1
    assert run(home, "opt-outs", "add", "0754000001", "--institution", "x").exit_code == 1


def test_usage_of_nothing_is_nothing_and_its_days_are_in_order(home: Path) -> None:
    assert run(home, "usage", "--json").output == "[]\n"
    assert run(home, "usage", "--from", "2026-11-21", "--to", "2026-11-20").exit_code == 1
    assert run(home, "usage", "--institution", "x").exit_code == 1


def test_an_institution_lets_look_alikes_be_replaced_and_that_is_audited(
    home: Path, database_url: str
) -> None:
    run(home, "institutions", "add", "ega", "Mamlaka", "Authority")
    for given, stands in (("on", True), ("off", False)):
        assert run(home, "institutions", "set", "ega", "--plain-text", given).exit_code == 0
        assert run(home, "institutions", "set", "ega", "--sector", "tehama").exit_code == 0
        with psycopg.connect(database_url) as link:
            row = link.execute("SELECT plain_text FROM institutions").fetchone()
            audited = link.execute("SELECT DISTINCT action, subject FROM audit").fetchall()
        assert row == (stands,)
        assert audited == [("institution.changed", "ega")]
    assert run(home, "institutions", "set", "ega", "--plain-text", "yes").exit_code == 2


@pytest.mark.parametrize("name", ["main", "MAIN", "-ega", "e", "x" * 21, "e ga", "é"])
def test_a_short_name_that_cannot_be_is_refused(home: Path, name: str) -> None:
    done = run(home, "institutions", "add", "--", name, "Jina", "Name")
    assert done.exit_code == 1
    assert run(home, "institutions", "list", "--json").output == "[]\n"


def test_a_key_is_issued_listed_without_itself_and_revoked(home: Path) -> None:
    run(home, "institutions", "add", "ega", "Mamlaka", "Authority")
    key = run(home, "keys", "issue", "ega", "mfumo", "--scope", "menus:publish").output.strip()
    (listed,) = json.loads(run(home, "keys", "list", "--json").output)
    assert (listed["institution"], listed["name"], listed["scopes"], listed["revoked_at"]) == (
        "ega", "mfumo", ["menus:publish"], None,
    )  # fmt: skip
    assert key not in run(home, "keys", "list").output
    assert run(home, "keys", "revoke", str(listed["id"])).exit_code == 0
    (listed,) = json.loads(run(home, "keys", "list", "ega", "--json").output)
    assert listed["revoked_at"]
    assert run(home, "keys", "revoke", str(listed["id"])).exit_code == 1


def test_without_settings_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere", "institutions", "list")
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert str(tmp_path / "nowhere" / "settings.toml") in done.output
    assert "make run" in done.output


def test_settings_that_are_named_win_over_the_home(home: Path, tmp_path: Path) -> None:
    done = run(home, "institutions", "list", more={"USSDAPP_SETTINGS": str(tmp_path / "none")})
    assert done.exit_code == 1
    assert "USSDAPP_SETTINGS cannot be read" in done.output


def test_the_home_is_run_where_nothing_is_exported(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".run").mkdir()
    written_home(tmp_path / ".run", database_url)
    monkeypatch.chdir(tmp_path)
    assert run(None, "institutions", "list", "--json").output == "[]\n"


@pytest.mark.parametrize(
    "words",
    [["institutions", "list"], ["menus", "versions"], ["balance"], ["migrate"]],
    ids=" ".join,
)  # fmt: skip
def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    home = written_home(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    done = run(home, *words)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "does not answer" in done.output


def test_a_database_without_the_schema_is_one_sentence(
    empty_database_url: str, tmp_path: Path
) -> None:
    done = run(written_home(tmp_path, empty_database_url), "menus", "versions")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "ussdapp migrate" in done.output


def test_migrate_brings_an_empty_database_up_to_date(
    empty_database_url: str, tmp_path: Path
) -> None:
    home = written_home(tmp_path, empty_database_url)
    assert run(home, "migrate").exit_code == 0
    assert run(home, "menus", "versions", "--json").output == "[]\n"


def test_a_migration_that_fails_is_one_sentence_that_names_it(
    empty_database_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(empty_database_url) as link:
        link.execute("CREATE TABLE institutions ()")
    done = run(written_home(tmp_path, empty_database_url), "migrate")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "0001_first_call" in done.output


def test_the_demo_fills_an_empty_database_once(home: Path) -> None:
    first = json.loads(run(home, "demo").output)
    assert first["institution"] == "ega"
    assert run(home, "demo").output == "{}\n"
    assert "ega" in run(home, "institutions", "list").output


def test_a_balance_of_nothing_holds(home: Path) -> None:
    done = run(home, "balance", "--json")
    assert (done.exit_code, json.loads(done.output)["holds"]) == (0, True)
