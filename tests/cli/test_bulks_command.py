"""Bulks on the command line."""

import json
from pathlib import Path

from tests.fakes.bulks import Office, recipients
from tests.fakes.home import run


def test_a_bulk_is_listed_shown_and_stopped(office: Office, home: Path) -> None:
    number = office.send([*recipients(3), {"to": "1"}])
    office.work()
    (listed,) = json.loads(run(home, "bulks", "list", "ega", "--json").output)
    assert (listed["number"], listed["status"], listed["accepted"]) == (number, "queued", 3)
    (shown,) = json.loads(run(home, "bulks", "show", str(number), "--json").output)
    assert (shown["queued"], shown["rejected"], shown["rows rejected"]) == (3, 1, 0)
    (stopped,) = json.loads(run(home, "bulks", "stop", str(number), "--json").output)
    assert (stopped["status"], stopped["stopped"]) == ("stopped", 3)
    assert office.ask("SELECT actor, action FROM audit ORDER BY id DESC LIMIT 1") == [
        ("command line", "bulk.stopped")
    ]


def test_what_is_not_there_is_said(home: Path) -> None:
    assert json.loads(run(home, "bulks", "list", "--json").output) == []
    refused = run(home, "bulks", "show", "7")
    assert (refused.exit_code, refused.output) == (1, "Error: there is no bulk 7\n")
