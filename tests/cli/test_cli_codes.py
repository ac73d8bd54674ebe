"""Codes on the command line: asked for, met, allotted, refused, revoked and listed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.home import run

ASK = ("codes", "request", "ega", "sender_id", "MALIASILI", "--purpose", "Taarifa za utalii")


@pytest.fixture
def home(home: Path) -> Path:
    for name in ("ega", "tra"):
        run(home, "institutions", "add", name, name, name)
    return home


def told(home: Path, *words: str) -> dict[str, Any]:
    done = run(home, *words, "--json")
    assert done.exit_code == 0, done.output
    (one,) = json.loads(done.output)
    return dict(one)


def test_a_request_goes_its_way(home: Path) -> None:
    assert told(home, *ASK)["status"] == "requested"
    for condition in ("letter", "contact", "sample"):
        stands = told(home, "codes", "condition", "1", condition, "--document", "EGA/1")
    assert (stands["status"], stands["missing"]) == ("conditions_met", [])
    assert sorted(stands["conditions"]) == ["contact (EGA/1)", "letter (EGA/1)", "sample (EGA/1)"]
    assert stands["due_at"]
    assert told(home, "codes", "allot", "1")["status"] == "allotted"
    assert told(home, "codes", "list", "EGA", "--status", "allotted")["value"] == "MALIASILI"
    assert told(home, "codes", "revoke", "1", "Imeisha")["reason"] == "Imeisha"


def test_a_keywords_secret_is_shown_once(home: Path) -> None:
    asked = told(home, "codes", "request", "ega", "keyword", "wcf", "--purpose", "Madai",
                 "--url", "https://wcf.go.tz/sms")  # fmt: skip
    assert (asked["value"], len(asked["secret"])) == ("WCF", 32)
    assert asked["secret"] not in run(home, "codes", "list", "--json").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("request", "nobody", "sender_id", "NOBODY", "--purpose", "x"), "no institution has"),
        (("request", "tra", "sender_id", "MALIASlLI", "--purpose", "x"), "reads like MALIASILI"),
        (("request", "tra", "sender_id", "SMS", "--purpose", "x"), "whose"),
        (("allot", "1"), "the request is requested: not all of its conditions are met"),
        (("condition", "1", "tried"), "its conditions are letter, contact, sample"),
        (("condition", "9", "letter"), "no institution's request has the number 9"),
        (("revoke", "1", "x"), "the request is requested"),
    ],
)
def test_what_cannot_be_done_is_said(home: Path, words: tuple[str, ...], sentence: str) -> None:
    told(home, *ASK)
    done = run(home, "codes", *words)
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_list_for_people_names_its_columns(home: Path) -> None:
    told(home, *ASK)
    heads, line = run(home, "codes", "list").output.splitlines()
    assert heads.split() == [
        "number", "institution", "kind", "value", "status", "requested_at", "missing",
    ]  # fmt: skip
    assert line.split()[:3] == ["1", "ega", "sender_id"]


def test_a_refusal_needs_a_reason(home: Path) -> None:
    told(home, *ASK)
    assert run(home, "codes", "refuse", "1", " ").exit_code == 2
    assert told(home, "codes", "refuse", "1", "Barua haipo")["status"] == "refused"


def test_what_another_got_since_it_was_asked_for_is_not_allotted(home: Path) -> None:
    told(home, *ASK)
    for condition in ("letter", "contact", "sample"):
        told(home, "codes", "condition", "1", condition)
    run(home, "institutions", "add", "maliasili", "Wizara", "Ministry")
    done = run(home, "codes", "allot", "1")
    assert (done.exit_code, "the short name of another institution" in done.output) == (1, True)
    assert told(home, "codes", "list")["status"] == "conditions_met"
