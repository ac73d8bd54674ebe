"""Keys on the command line: shown once, listed without themselves, replaced, and mGov's own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ussdapp.cli import main
from ussdapp.core.keys import SCOPES

SETTINGS = {
    "redis_url": "redis://127.0.0.1:1/0",
    "seal_key": bytes(range(32)).hex(),
    "index_key": bytes(range(32, 64)).hex(),
}


class Home:
    """A home such as `make run` leaves."""

    def __init__(self, folder: Path, database_url: str) -> None:
        words = {"database_url": database_url, **SETTINGS}
        lines = [f"{name} = {json.dumps(value)}" for name, value in words.items()]
        text = "\n".join((*lines, '[channels.sandbox]\nkind = "smpp"\n'))
        (folder / "settings.toml").write_text(text)
        self.folder = folder

    def run(self, *words: str) -> Result:
        environ = {"USSDAPP_SETTINGS": None, "DATABASE_URL": None, "REDIS_URL": None,
                   "USSDAPP_HOME": str(self.folder)}  # fmt: skip
        return CliRunner().invoke(main, words, env=environ)

    def listed(self) -> list[dict[str, Any]]:
        return list(json.loads(self.run("keys", "list", "--json").output))


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Home:
    made = Home(tmp_path, database_url)
    made.run("institutions", "add", "ega", "Mamlaka", "Authority")
    return made


def test_a_key_says_whose_it_is_and_so_does_the_one_that_replaces_it(home: Home) -> None:
    home.run("keys", "issue", "ega", "mfumo", "--for", "  Asha@EGA.go.tz ")
    home.run("keys", "replace", "1")
    home.run("keys", "issue", "ega", "bila")
    assert [one["owner"] for one in home.listed()] == ["asha@ega.go.tz", "asha@ega.go.tz", ""]
    refused = home.run("keys", "issue", "ega", "mfumo", "--for", "key 1")
    assert refused.exit_code == 2
    assert "an e-mail address or a name" in refused.output


def test_a_key_is_issued_with_its_limits(home: Home) -> None:
    done = home.run(
        "keys", "issue", "EGA", "mfumo", "--scope", "notifications:send", "--scope",
        "notifications:read", "--network", "10.1.0.0/16", "--days", "30", "--per-second", "9",
    )  # fmt: skip
    assert done.output.startswith("ussd_live_")
    (listed,) = home.listed()
    assert (listed["scopes"], listed["networks"], listed["per_second"], listed["live"]) == (
        ["notifications:send", "notifications:read"], ["10.1.0.0/16"], 9, True,
    )  # fmt: skip
    assert listed["expires_at"]
    assert listed["last_used_at"] is None
    assert done.output.strip() not in home.run("keys", "list").output


def test_a_list_for_people_is_short(home: Home) -> None:
    everything = [word for scope in SCOPES for word in ("--scope", scope)]
    home.run("keys", "issue", "ega", "mfumo", "--scope", "bulks:send", "--scope", "bulks:read")
    home.run("keys", "issue", "ega", "yote", *everything)
    heads, one, other = home.run("keys", "list").output.splitlines()
    assert heads.split() == [
        "id", "institution", "name", "live", "scopes", "created_at", "per_second", "signed",
    ]  # fmt: skip
    assert one.split()[:5] == ["1", "ega", "mfumo", "yes", "bulks:send,read"]
    assert other.split()[4] == "all"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", " ".join(one.split()[5:7]))
    assert max(map(len, (heads, one, other))) < 100


def test_a_test_key_says_so(home: Home) -> None:
    key = home.run("keys", "issue", "ega", "jaribio", "--test").output.strip()
    assert key.startswith("ussd_test_")
    assert home.listed()[0]["live"] is False
    assert home.run("keys", "replace", "1").output.startswith("ussd_test_")


@pytest.mark.parametrize(
    "words",
    [["ega", "x", "--scope", "everything"], ["ega", "x", "--network", "10.1.2.3/16"],
     ["ega", "x", "--per-second", "0"], ["ega", "x", "--days", "0"], ["nobody", "x"]],
    ids=["a scope that is none", "host bits", "no rate", "no days", "nobody"],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(home: Home, words: list[str]) -> None:
    done = home.run("keys", "issue", *words)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert home.listed() == []


def test_a_key_is_replaced_once_and_a_third_is_refused(home: Home) -> None:
    first = home.run("keys", "issue", "ega", "mfumo").output
    second = home.run("keys", "replace", "1").output
    assert first != second
    old, new = home.listed()
    assert old["expires_at"]
    assert new["expires_at"] is None
    assert (old["name"], old["scopes"]) == (new["name"], new["scopes"])
    refused = home.run("keys", "replace", "2")
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert home.run("keys", "revoke", "1").exit_code == 0
    assert home.run("keys", "replace", "2").exit_code == 0
    assert home.run("keys", "replace", "99").exit_code == 1


def test_an_mgov_key_has_the_names_that_its_clients_send(home: Home) -> None:
    done = home.run("keys", "issue-mgov", "ega", "mgov", "--user-id", "mfumo@ega.go.tz")
    made = json.loads(done.output)
    assert set(made) == {"api_key", "sys_id", "user_id", "mobile_service_id"}
    assert made["user_id"] == "mfumo@ega.go.tz"
    assert len(made["sys_id"]) == 11
    assert home.listed()[0]["sys_id"] == made["sys_id"]
    assert made["api_key"] not in home.run("keys", "list").output


def test_the_demo_prints_keys_for_all_it_shows(empty_database_url: str, tmp_path: Path) -> None:
    home = Home(tmp_path, empty_database_url)
    assert home.run("migrate").exit_code == 0
    printed = json.loads(home.run("demo").output)
    assert printed["institution"] == "ega"
    assert set(printed["mgov"]) == {"api_key", "sys_id", "user_id", "mobile_service_id"}
    bearer = next(key for key in home.listed() if key["sys_id"] is None)
    assert set(bearer["scopes"]) == set(SCOPES)


def test_a_key_that_signs_is_shown_with_its_secret_and_replaced_by_one_that_signs(
    home: Home,
) -> None:
    made = json.loads(home.run("keys", "issue", "ega", "mfumo", "--signed", "--test").output)
    assert made["key"].startswith("ussd_test_")
    again = json.loads(home.run("keys", "replace", "1").output)
    assert len({made["secret"], again["secret"], made["key"], again["key"]}) == 4
    home.run("keys", "issue", "ega", "wazi")
    assert [one["signed"] for one in home.listed()] == [True, True, False]
    assert made["secret"] not in home.run("keys", "list").output
