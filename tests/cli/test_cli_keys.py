"""Keys on the command line: shown once, listed without themselves, replaced, and mGov's own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.home import run, written_home
from ussdapp.core.keys import SCOPES


@pytest.fixture
def home(home: Path) -> Path:
    run(home, "institutions", "add", "ega", "Mamlaka", "Authority")
    return home


def listed(home: Path) -> list[dict[str, Any]]:
    return list(json.loads(run(home, "keys", "list", "--json").output))


def test_a_key_says_whose_it_is_and_so_does_the_one_that_replaces_it(home: Path) -> None:
    run(home, "keys", "issue", "ega", "mfumo", "--for", "  Asha@EGA.go.tz ")
    run(home, "keys", "replace", "1")
    run(home, "keys", "issue", "ega", "bila")
    assert [one["owner"] for one in listed(home)] == ["asha@ega.go.tz", "asha@ega.go.tz", ""]
    refused = run(home, "keys", "issue", "ega", "mfumo", "--for", "key 1")
    assert refused.exit_code == 2
    assert "an e-mail address or a name" in refused.output


def test_a_key_is_issued_with_its_limits(home: Path) -> None:
    done = run(
        home, "keys", "issue", "EGA", "mfumo", "--scope", "notifications:send", "--scope",
        "notifications:read", "--network", "10.1.0.0/16", "--days", "30", "--per-second", "9",
    )  # fmt: skip
    assert done.output.startswith("ussd_live_")
    (one,) = listed(home)
    assert (one["scopes"], one["networks"], one["per_second"], one["live"]) == (
        ["notifications:send", "notifications:read"], ["10.1.0.0/16"], 9, True,
    )  # fmt: skip
    assert one["expires_at"]
    assert one["last_used_at"] is None
    assert done.output.strip() not in run(home, "keys", "list").output


def test_a_list_for_people_is_short(home: Path) -> None:
    everything = [word for scope in SCOPES for word in ("--scope", scope)]
    run(home, "keys", "issue", "ega", "mfumo", "--scope", "bulks:send", "--scope", "bulks:read")
    run(home, "keys", "issue", "ega", "yote", *everything)
    heads, one, other = run(home, "keys", "list").output.splitlines()
    assert heads.split() == [
        "id", "institution", "name", "live", "scopes", "created_at", "per_second", "signed",
    ]  # fmt: skip
    assert one.split()[:5] == ["1", "ega", "mfumo", "yes", "bulks:send,read"]
    assert other.split()[4] == "all"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", " ".join(one.split()[5:7]))
    assert max(map(len, (heads, one, other))) < 100


def test_a_test_key_says_so(home: Path) -> None:
    key = run(home, "keys", "issue", "ega", "jaribio", "--test").output.strip()
    assert key.startswith("ussd_test_")
    assert listed(home)[0]["live"] is False
    assert run(home, "keys", "replace", "1").output.startswith("ussd_test_")


@pytest.mark.parametrize(
    "words",
    [["ega", "x", "--scope", "everything"], ["ega", "x", "--network", "10.1.2.3/16"],
     ["ega", "x", "--per-second", "0"], ["ega", "x", "--days", "0"], ["nobody", "x"]],
    ids=["a scope that is none", "host bits", "no rate", "no days", "nobody"],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(home: Path, words: list[str]) -> None:
    done = run(home, "keys", "issue", *words)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert listed(home) == []


def test_a_key_is_replaced_once_and_a_third_is_refused(home: Path) -> None:
    first = run(home, "keys", "issue", "ega", "mfumo").output
    second = run(home, "keys", "replace", "1").output
    assert first != second
    old, new = listed(home)
    assert old["expires_at"]
    assert new["expires_at"] is None
    assert (old["name"], old["scopes"]) == (new["name"], new["scopes"])
    refused = run(home, "keys", "replace", "2")
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert run(home, "keys", "revoke", "1").exit_code == 0
    assert run(home, "keys", "replace", "2").exit_code == 0
    assert run(home, "keys", "replace", "99").exit_code == 1


def test_an_mgov_key_has_the_names_that_its_clients_send(home: Path) -> None:
    done = run(home, "keys", "issue-mgov", "ega", "mgov", "--user-id", "mfumo@ega.go.tz")
    made = json.loads(done.output)
    assert set(made) == {"api_key", "sys_id", "user_id", "mobile_service_id"}
    assert made["user_id"] == "mfumo@ega.go.tz"
    assert len(made["sys_id"]) == 11
    assert listed(home)[0]["sys_id"] == made["sys_id"]
    assert made["api_key"] not in run(home, "keys", "list").output


def test_the_demo_prints_keys_for_all_it_shows(empty_database_url: str, tmp_path: Path) -> None:
    home = written_home(tmp_path, empty_database_url)
    assert run(home, "migrate").exit_code == 0
    printed = json.loads(run(home, "demo").output)
    assert printed["institution"] == "ega"
    assert set(printed["mgov"]) == {"api_key", "sys_id", "user_id", "mobile_service_id"}
    bearer = next(key for key in listed(home) if key["sys_id"] is None)
    assert set(bearer["scopes"]) == set(SCOPES)


def test_a_key_that_signs_is_shown_with_its_secret_and_replaced_by_one_that_signs(
    home: Path,
) -> None:
    made = json.loads(run(home, "keys", "issue", "ega", "mfumo", "--signed", "--test").output)
    assert made["key"].startswith("ussd_test_")
    again = json.loads(run(home, "keys", "replace", "1").output)
    assert len({made["secret"], again["secret"], made["key"], again["key"]}) == 4
    run(home, "keys", "issue", "ega", "wazi")
    assert [one["signed"] for one in listed(home)] == [True, True, False]
    assert made["secret"] not in run(home, "keys", "list").output
